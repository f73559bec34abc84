"""CSV (RFC 4180, and what is met in the field)."""
