"""One transform for each node of a plan."""
