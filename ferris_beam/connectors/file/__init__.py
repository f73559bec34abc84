"""``file:``: local files and folders."""

from ferris_beam.connectors.file.declaration import CONNECTOR

__all__ = ["CONNECTOR"]
