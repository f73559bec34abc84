"""Parquet to batches: row groups, each cut into pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.errors import FatalError
from ferris_beam.formats.base import ByteSource
from ferris_beam.formats.columns import check_names, projected
from ferris_beam.formats.groups import CUT, GroupReader, Rows, as_schema, decode, is_as_wanted
from ferris_beam.formats.parquet.file import open_parquet
from ferris_beam.formats.parquet.pruning import row_groups
from ferris_beam.formats.predicate import columns_of, mask_of


class ParquetReader(GroupReader):
    """Reads one file; its footer is read once.

    A ``predicate`` drops rows, and row groups whose statistics say that no row of theirs fits:
    such a group is one empty piece.
    """

    kind = "row group"

    def __init__(
        self,
        source: ByteSource,
        schema: pa.Schema,
        columns: Sequence[str] | None = None,
        predicate: pc.Expression | None = None,
    ) -> None:
        self._file = open_parquet(source, dictionaries=True)
        check_names(source.name, self._file.schema_arrow.names, schema.names)
        wanted = read = projected(schema, columns)
        self._predicate = predicate
        self._groups: frozenset[int] = frozenset(range(self._file.num_row_groups))
        if predicate is not None:
            self._judged = columns_of(predicate, schema) or schema.names[:1]
            read = projected(schema, [*wanted.names, *self._judged])
            self._may_skip = self._are_as_in(schema, self._judged)
            if self._may_skip:
                found = row_groups(predicate, projected(schema, self._judged), source)
                self._groups = self._groups if found is None else found
        super().__init__(source.name, wanted, read)

    def _are_as_in(self, schema: pa.Schema, names: Sequence[str]) -> bool:
        """Whether the file has these columns with the types of ``schema``: else they are cast, and
        neither its statistics nor its values are what a condition is about."""
        found = self._file.schema_arrow
        fields = [pa.schema([each.field(name) for name in names]) for each in (found, schema)]
        return is_as_wanted(*fields)

    def _read_group(self, group: int) -> Iterator[Rows]:
        if group not in self._groups:
            return
        rows = self._file.metadata.row_group(group).num_rows
        if not rows or not self._may_fit(group):
            return
        nbytes = self._bytes_of(group, self._read_schema.names)
        for records in self._batches(group, self._read_schema.names):
            yield Rows(records, nbytes * records.num_rows // rows)

    def _batches(self, group: int, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._file.iter_batches(
                CUT, row_groups=[group], columns=list(columns), use_threads=False
            )
        except (pa.ArrowException, OSError) as error:
            raise FatalError(
                f"{self._name}: row group {group} can't be read ({error}); the file is damaged or "
                "uses what this reader doesn't know"
            ) from error

    def _may_fit(self, group: int) -> bool:
        """Whether some row fits, as far as little reading tells: where statistics can't (a number
        in an unordered column), the columns of the condition may."""
        if self._predicate is None or not self._may_skip:
            return True
        judged = self._bytes_of(group, self._judged)
        if judged * _WORTH_A_LOOK > self._bytes_of(group, self._read_schema.names):
            return True
        return any(
            pc.any(self._mask(records)).as_py() for records in self._batches(group, self._judged)
        )

    def _mask(self, records: pa.RecordBatch) -> pa.Array:
        assert self._predicate is not None
        return mask_of(decode(records.select(self._judged)), self._predicate)

    def _wanted(self, records: pa.RecordBatch) -> pa.RecordBatch:
        """The rows and columns that were asked for; only what is left of them is decoded."""
        mask = None if self._predicate is None else self._mask(records)
        records = records.select(self.schema.names)
        records = records if mask is None else records.filter(mask)
        return records if self.dictionaries else as_schema(records, self.schema)

    def _bytes_of(self, group: int, columns: Sequence[str]) -> int:
        metadata, wanted = self._file.metadata.row_group(group), set(columns)
        chunks = (metadata.column(at) for at in range(metadata.num_columns))
        return sum(
            chunk.total_compressed_size
            for chunk in chunks
            if chunk.path_in_schema.split(".")[0] in wanted
        )


_WORTH_A_LOOK = 4
"""How many times as large as the columns of a condition those to be read must be, for the former
to be read ahead: then reading them twice costs little, and not reading the others saves much."""
