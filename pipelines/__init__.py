"""Pipelines that run as they are (``python -m pipelines.NAME``) and show how to write one."""
