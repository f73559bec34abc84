"""The plan: what is computed, as a tree."""
