"""The engine: connectors as Beam transforms, and the transforms between them."""

from __future__ import annotations

from ferris_beam.transforms.check_schema import CheckSchema
from ferris_beam.transforms.context import PipelineContext
from ferris_beam.transforms.dead_letters import DeadLetters
from ferris_beam.transforms.factory import create_sink, create_source
from ferris_beam.transforms.map import MapBatches, MapRows
from ferris_beam.transforms.progress_options import ProgressOptions
from ferris_beam.transforms.read import Read
from ferris_beam.transforms.rows import Rows
from ferris_beam.transforms.write import Write

__all__ = [
    "CheckSchema",
    "DeadLetters",
    "MapBatches",
    "MapRows",
    "PipelineContext",
    "ProgressOptions",
    "Read",
    "Rows",
    "Write",
    "create_sink",
    "create_source",
]
