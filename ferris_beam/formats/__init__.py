"""Formats: bytes to batches and back. `registry` finds one by name or by a file's extension."""
