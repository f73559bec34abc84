"""Kills, zombies and what must be true after them: ``python -m tests.chaos --kills 20``."""
