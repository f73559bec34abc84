"""PostgreSQL's binary formats: values to Arrow and back, vectorised over many rows."""

from ferris_beam.connectors.postgresql.binary.cells import (
    Cells,
    TaggedCells,
    cells,
    tagged_cells,
)
from ferris_beam.connectors.postgresql.binary.copying import copy_out, decode_rows
from ferris_beam.connectors.postgresql.binary.decoding import decode_column, decode_columns
from ferris_beam.connectors.postgresql.binary.encoding import Encoder

__all__ = [
    "Cells",
    "Encoder",
    "TaggedCells",
    "cells",
    "copy_out",
    "decode_column",
    "decode_columns",
    "decode_rows",
    "tagged_cells",
]
