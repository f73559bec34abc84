"""SQL over URIs: parsed by sqlglot, planned by rules, run as Beam transforms over Arrow batches."""
