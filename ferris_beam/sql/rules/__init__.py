"""Rules that make a plan cheaper: one in each file, each a function from a plan to a plan."""
