"""Reading tables, views and queries: in parallel, from a cursor on, and by keys."""
