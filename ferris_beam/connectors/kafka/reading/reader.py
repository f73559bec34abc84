"""Reading topics: units, splits, chunks."""

from __future__ import annotations

import time
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from confluent_kafka import TopicPartition

from ferris_beam.batches import schema_from_ipc, schema_to_ipc
from ferris_beam.connector import Backlog, Chunk, Reader, Residual, Split
from ferris_beam.connectors.kafka.cluster import Admin, Cluster, TopicInfo, is_matching, topics_of
from ferris_beam.connectors.kafka.decoding.choose import value_decoder, value_schema
from ferris_beam.connectors.kafka.failures import explained
from ferris_beam.connectors.kafka.options import KafkaSourceOptions
from ferris_beam.connectors.kafka.reading.collecting import collector_paused
from ferris_beam.connectors.kafka.reading.places import Places, begins_at, where
from ferris_beam.connectors.kafka.reading.rows import RowMaker, Watermark
from ferris_beam.connectors.kafka.reading.sampling import first_values
from ferris_beam.connectors.kafka.reading.stream import PartitionStream
from ferris_beam.errors import ConfigurationError, SourceChangedError
from ferris_beam.formats.columns import projected
from ferris_beam.interval import Interval
from ferris_beam.uri import Uri

_NO_GROUP = "ferris"
_BATCH_BYTES = 32 << 20
_USUAL_BYTES = 100
"""Of a message, before one was seen."""


class KafkaReader(Reader):
    """Topics, by a consumer for each partition, which stays open.

    Unit: a partition, as ``topic/number``; its identity is the topic's id and, where it does not
    begin at its first message, the offset at which it does: so a restart knows both. Position: an
    offset. Delivery: replayable and ordered; rows of one partition come in the order of offsets.
    """

    replayable = True
    ordered = True
    cuts = True

    def __init__(self, uri: Uri, options: KafkaSourceOptions) -> None:
        self._cluster = Cluster.of(uri, options)
        self._topics = topics_of(uri)
        self._options = options
        self._columns: tuple[str, ...] | None = None
        self._schema: pa.Schema | None = None
        self._forget()
        self.bounded = options.until is not None
        self.incremental = options.until == "now"
        self.confirms = options.group_id is not None
        if not self.bounded:
            self.poll_seconds = options.discover_interval.total_seconds()
        if bool(self._topics) == bool(options.pattern):
            raise ConfigurationError(
                "a Kafka source names topics in its path, as kafka://broker/orders,returns, or "
                "has a pattern= for their names"
            )

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        return {**state, "_admin": None, "_streams": {}, "_maker": None, "_marks": {}}

    def _forget(self) -> None:
        self._admin: Admin | None = None
        self._streams: dict[str, PartitionStream] = {}
        self._maker: tuple[bytes, RowMaker] | None = None
        self._marks: dict[str, tuple[int, Watermark]] = {}

    @property
    def display(self) -> str:
        return f"{self._cluster.display}/{self._options.pattern or ','.join(self._topics)}"

    # ── before reading ──────────────────────────────────────────────────────────────────────

    def pushdown(
        self,
        columns: Sequence[str] | None = None,
        predicate: pc.Expression | None = None,
        limit: int | None = None,
    ) -> tuple[Reader, Residual]:
        """Only columns, where no condition needs other ones."""
        if columns is None or not columns or predicate is not None:
            return self, Residual(columns, predicate, limit)
        reader = copy(self)
        reader._forget()
        reader._columns = tuple(columns)
        return reader, Residual(None, None, limit)

    def schema(self) -> pa.Schema:
        return projected(self._rows_of(self._found_schema()).schema, self._columns)

    def _found_schema(self) -> pa.Schema | None:
        """Found once: what is read must not differ from what was announced."""
        if self._schema is None:
            topics = self._topics or [info.name for info in self._infos()]
            self._schema = value_schema(self._options, topics, self._sample, self.display)
        return self._schema

    def _sample(self) -> list[bytes]:
        places = [(info.name, number) for info in self._infos() for number in self._chosen(info)]
        options = self._options
        return first_values(self._cluster, places, options.sample_messages, options.isolation)

    def splits(self, known: Mapping[str, str]) -> Iterable[Split]:
        schema = self._found_schema()
        details = b"" if schema is None else b64encode(schema_to_ipc(schema))
        infos = self._infos()
        places = Places(self._admin_here(), self._cluster, self._options)
        numbers = {info.name: self._chosen(info) for info in infos}
        for unit, identity, start, end in places.of(infos, numbers, known):
            if end is not None and end <= start:
                continue
            size = None if end is None else (end - start) * _USUAL_BYTES
            words = self._options.decoder or self._options.format
            interval = Interval(unit, start, end)
            yield Split(interval, identity, details, False, ordered=True, size=size, format=words)

    def _infos(self) -> list[TopicInfo]:
        admin = self._admin_here()
        if self._options.pattern is not None:
            return admin.matching(self._options.pattern)
        return admin.topics(self._topics)

    def _chosen(self, info: TopicInfo) -> Sequence[int]:
        wanted = self._options.partitions or info.partitions
        missing = sorted(set(wanted) - set(info.partitions))
        if missing:
            raise ConfigurationError(
                f"{self._cluster.display}/{info.name} has no partition {missing[0]}; it has "
                f"{len(info.partitions)}"
            )
        return wanted

    def _admin_here(self) -> Admin:
        if self._admin is None:
            self._admin = Admin(self._cluster)
        return self._admin

    # ── reading ─────────────────────────────────────────────────────────────────────────────

    def read(self, split: Split) -> Iterator[Chunk]:
        maker = self._maker_of(split.details)
        watermark = self._watermark(split)
        interval = split.interval
        position, begin = interval.start, begins_at(split.identity)
        borders = sorted(b for b in split.borders if b > position)
        if position < begin:  # what is before is not wanted, and that is remembered
            position = begin if interval.end is None else min(begin, interval.end)
            yield self._nothing(maker, position, watermark)
        if interval.end is not None and position >= interval.end:
            return
        stream = self._stream(split)
        stream.seek(position)
        while True:
            ends = [*(b for b in borders if b > position), interval.end]
            with collector_paused():
                taken = stream.take(self._options.batch_rows, _BATCH_BYTES, ends[0])
                if taken.end <= position:
                    return
                rows = maker.rows(taken.messages)
                taken.messages.clear()  # while nobody looks at them
            watermark.advance(rows.times)
            self._marks[interval.unit] = (taken.end, watermark)
            yield Chunk(
                self._shown(rows.records),
                taken.end,
                rows.rejects,
                taken.nbytes,
                int(rows.times.min()) if len(rows.times) else None,
                watermark.promised,
                mark=watermark.mark,
                lost=taken.lost,
            )
            position = taken.end
            if position == interval.end:
                self._close_stream(interval.unit)  # it would go on to fetch what is behind
                return
            if taken.idle and interval.end is None:
                return

    def _nothing(self, maker: RowMaker, end: int, watermark: Watermark) -> Chunk:
        records = pa.RecordBatch.from_pylist([], schema=maker.schema)
        return Chunk(self._shown(records), end, mark=watermark.mark)

    def _shown(self, records: pa.RecordBatch) -> pa.RecordBatch:
        if self._columns is None or records.schema.names == list(self._columns):
            return records
        return records.select(list(self._columns))

    def _maker_of(self, details: bytes) -> RowMaker:
        if self._maker is None or self._maker[0] != details:
            schema = schema_from_ipc(b64decode(details)) if details else None
            self._maker = (details, self._rows_of(schema))
        return self._maker[1]

    def _rows_of(self, schema: pa.Schema | None) -> RowMaker:
        """Decodes only columns that are asked for, and that of the event time."""
        options = self._options
        decoder = value_decoder(options, schema)
        system: Sequence[str] = options.metadata
        if self._columns is not None:
            wanted = {*self._columns, options.event_time}
            kept = [name for name in decoder.schema.names if name in wanted]
            if kept != decoder.schema.names:
                decoder = decoder.narrowed(kept)
            system = [name for name in system if f"_{name}" in wanted]
        return RowMaker(decoder, system, options.key_format, options.tombstones, options.event_time)

    def _watermark(self, split: Split) -> Watermark:
        """The one that was left where the split begins; else the one that its mark tells."""
        reached, found = self._marks.get(split.interval.unit, (-1, None))
        if found is not None and reached == split.interval.start:
            return found
        late, future = self._options.out_of_orderness, self._options.max_future
        micros = [round(each.total_seconds() * 1_000_000) for each in (late, future)]
        return Watermark(micros[0], micros[1], split.mark)

    def _stream(self, split: Split) -> PartitionStream:
        unit = split.interval.unit
        found = self._streams.get(unit)
        if found is None:
            self._check_identity(split)
            topic, partition = where(unit)
            found = self._streams[unit] = PartitionStream(
                self._cluster,
                topic,
                partition,
                isolation=self._options.isolation,
                buffer=self._options.fetch_buffer,
                group=self._options.group_id or _NO_GROUP,
                on_loss=self._options.on_data_loss,
            )
        return found

    def _check_identity(self, split: Split) -> None:
        topic, _ = where(split.interval.unit)
        (info,) = self._admin_here().topics([topic])
        if info.id != split.identity.partition("@")[0]:
            raise SourceChangedError(
                f"{self._cluster.display}/{topic} was deleted and created again since its "
                "partitions were listed; start from zero with --reset"
            )

    def _close_stream(self, unit: str) -> None:
        stream = self._streams.pop(unit, None)
        if stream is not None:
            stream.close()

    def close(self) -> None:
        streams, self._streams, self._admin = self._streams, {}, None
        self._marks = {}
        for stream in streams.values():
            stream.close()

    def reads(self, created: str) -> bool:
        """A sink's place says its brokers as ours does."""
        brokers, _, topic = created.rpartition("/")
        if brokers != self._cluster.display:
            return False
        pattern = self._options.pattern
        return topic in self._topics if pattern is None else is_matching(pattern, topic)

    # ── looking ─────────────────────────────────────────────────────────────────────────────

    def backlog(self, split: Split, position: int) -> Backlog | None:
        stream = self._streams.get(split.interval.unit)
        if split.interval.end is not None:
            left = max(0, split.interval.end - position)
        elif stream is None:
            return None
        else:
            left = max(0, stream.behind() + stream.position - position)
        seen = stream is not None and stream.messages
        average = stream.nbytes / stream.messages if stream and seen else _USUAL_BYTES
        return Backlog(round(left * max(average, 1)), not left, self._lag(stream, left))

    @staticmethod
    def _lag(stream: PartitionStream | None, left: int) -> float | None:
        if stream is None or stream.last_timestamp is None or stream.last_timestamp < 0:
            return None
        return max(0.0, time.time() - stream.last_timestamp / 1000) if left else 0.0

    def earliest(self, marks: Sequence[str]) -> str:
        """The lowest of the highest event times: the watermark must not be ahead for any sink."""
        return min(marks, key=lambda mark: int(mark or 0))

    def acknowledge(self, split: Split, position: int) -> None:
        """Commits the offset, for those who look at groups; it is never read back."""
        stream = self._streams.get(split.interval.unit)
        if stream is None:
            return
        topic, partition = where(split.interval.unit)
        with explained(self._cluster.display):
            offsets = [TopicPartition(topic, partition, position)]
            stream.consumer.commit(offsets=offsets, asynchronous=True)
