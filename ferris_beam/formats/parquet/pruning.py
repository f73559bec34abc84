"""Row groups that a condition excludes, by their statistics (Apache Parquet, "Statistics").

pyarrow offers neither the page index nor Bloom filters to readers, so a row group is the least
that is left out.
"""

from __future__ import annotations

import io
import math

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pyarrow.types as pt

from ferris_beam.formats.base import ByteSource
from ferris_beam.formats.source_file import SourceFile


def row_groups(
    predicate: pc.Expression, judged: pa.Schema, source: ByteSource
) -> frozenset[int] | None:
    """The row groups in which a row may fit, or None where statistics don't tell.

    ``judged``: the columns of the condition. Their least and largest values say nothing of NaN, so
    a condition that NaN may meet (``x != 1``, ``not x > 1``) excludes nothing.
    """
    if any(pt.is_nested(field.type) for field in judged):
        return None
    if any(_nan_may_fit(predicate, judged, field) for field in judged):
        return None
    fragment = ds.ParquetFileFormat().make_fragment(SourceFile(source).arrow())
    return frozenset(group.id for group in fragment.subset(filter=predicate).row_groups)


def _nan_may_fit(predicate: pc.Expression, judged: pa.Schema, field: pa.Field) -> bool:
    """Whether a row with NaN in this column may meet the condition, whatever the others hold: what
    Arrow would say of a partition with this one value."""
    if not pt.is_floating(field.type):
        return False
    empty = io.BytesIO()
    pq.write_table(judged.empty_table(), empty)
    form = ds.ParquetFileFormat()
    nan = pc.field(field.name) == pa.scalar(math.nan, field.type)
    fragment = form.make_fragment(pa.BufferReader(empty.getvalue()), partition_expression=nan)
    dataset = ds.FileSystemDataset([fragment], judged, form)
    return any(True for _ in dataset.get_fragments(filter=predicate))
