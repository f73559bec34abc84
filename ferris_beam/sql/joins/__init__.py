"""Joins: against a table that workers hold, or of two sides partitioned by hash."""
