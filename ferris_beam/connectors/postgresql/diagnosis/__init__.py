"""What `python -m ferris_beam doctor` looks at in a PostgreSQL server: each thing with its fix."""

from ferris_beam.connectors.postgresql.diagnosis.endpoints import (
    diagnose_changes,
    diagnose_sink,
    diagnose_source,
)

__all__ = ["diagnose_changes", "diagnose_sink", "diagnose_source"]
