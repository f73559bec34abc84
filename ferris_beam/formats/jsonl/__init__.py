"""JSON Lines: one JSON object (RFC 8259) on each line."""
