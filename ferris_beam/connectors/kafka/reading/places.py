"""Where each partition begins and ends: units, their identities, and what options say of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import OffsetSpec

from ferris_beam.connectors.kafka.cluster import Admin, Cluster, TopicInfo
from ferris_beam.connectors.kafka.failures import Heard, explained
from ferris_beam.connectors.kafka.options import KafkaSourceOptions
from ferris_beam.connectors.kafka.starting import parse_until
from ferris_beam.errors import ConfigurationError

Place = tuple[str, int]


def unit_of(topic: str, partition: int) -> str:
    return f"{topic}/{partition}"


def where(unit: str) -> Place:
    """The topic and partition of a unit."""
    topic, _, number = unit.rpartition("/")
    return topic, int(number)


def begins_at(identity: str) -> int:
    """The first offset that is wanted of a partition."""
    return int(identity.partition("@")[2] or 0)


class Places:
    """Looks up offsets; all of one kind in one question."""

    def __init__(self, admin: Admin, cluster: Cluster, options: KafkaSourceOptions) -> None:
        self._admin = admin
        self._cluster = cluster
        self._options = options
        self._committed = options.isolation == "read_committed"

    def of(
        self,
        infos: Sequence[TopicInfo],
        partitions: Mapping[str, Sequence[int]],
        known: Mapping[str, str],
    ) -> Iterator[tuple[str, str, int, int | None]]:
        """Unit, identity, first position and end of each partition.

        What ledgers know goes on where it began. A partition that nobody knows while others are
        known came later: it is read from its beginning where else its end would count.
        """
        ids = {info.name: info.id for info in infos}
        places = [(info.name, number) for info in infos for number in partitions[info.name]]
        unknown = [place for place in places if not self._is_known(place, ids, known)]
        starts = self._starts(unknown, later=bool(known))
        ends = self._ends(places)
        for place in places:
            unit = unit_of(*place)
            if place in starts:
                begin = starts[place]
                identity = ids[place[0]] + (f"@{begin}" if begin else "")
            else:
                identity = known[unit]
                begin = begins_at(identity)
            # One before, if it can be: that nothing of it is wanted is the first thing to commit,
            # so that a restart finds where it began even if no message came yet.
            yield unit, identity, max(0, begin - 1), ends.get(place)

    @staticmethod
    def _is_known(place: Place, ids: Mapping[str, str], known: Mapping[str, str]) -> bool:
        found = known.get(unit_of(*place))
        return found is not None and found.partition("@")[0] == ids[place[0]]

    def _starts(self, places: Sequence[Place], later: bool) -> dict[Place, int]:
        begins = self._options.begins
        if not places or begins.kind == "earliest" or (begins.kind == "latest" and later):
            return dict.fromkeys(places, 0)
        if begins.kind == "offsets":
            self._check_offsets(places)
            return {place: begins.offsets.get(place[1], 0) for place in places}
        if begins.kind == "group":
            return self._of_group(places)
        if begins.kind == "latest":
            return self._asked(places, OffsetSpec.latest())
        return self._at_time(places, begins.at)

    def _check_offsets(self, places: Sequence[Place]) -> None:
        numbers = {partition for _, partition in places}
        missing = sorted(set(self._options.begins.offsets) - numbers)
        if missing and not self._options.partitions:
            raise ConfigurationError(
                f"start={self._options.start}: there is no partition {missing[0]}"
            )

    def _of_group(self, places: Sequence[Place]) -> dict[Place, int]:
        """Committed offsets; 0 where there is none."""
        if self._options.group_id is None:
            raise ConfigurationError("start=group needs group_id=, the group whose offsets count")
        heard = Heard()
        consumer: Consumer = self._cluster.consumer(heard, group_id=self._options.group_id)
        try:
            with explained(self._cluster.display):
                asked = [TopicPartition(*place) for place in places]
                found = consumer.committed(asked, self._cluster.timeout)
            return {(tp.topic, tp.partition): max(0, tp.offset) for tp in found}
        finally:
            consumer.close()

    def _ends(self, places: Sequence[Place]) -> dict[Place, int]:
        """Of what ends; nothing for what does not."""
        if self._options.until is None:
            return {}
        at = parse_until(self._options.until)
        if at is None:
            return self._asked(places, OffsetSpec.latest())
        return self._at_time(places, at)

    def _at_time(self, places: Sequence[Place], at: int) -> dict[Place, int]:
        """The first offset whose timestamp is not before; the end where there is none."""
        found = self._asked(places, OffsetSpec.for_timestamp(at))
        behind = [place for place, offset in found.items() if offset < 0]
        return {**found, **self._asked(behind, OffsetSpec.latest())}

    def _asked(self, places: Sequence[Place], spec: OffsetSpec) -> dict[Place, int]:
        return self._admin.offsets(dict.fromkeys(places, spec), self._committed)
