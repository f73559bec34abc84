"""Paths that follow the time of the rows."""

from __future__ import annotations

import datetime
import os
import zoneinfo

import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.connectors.file.partitions import Partitioning
from ferris_beam.connectors.file.template import PathTemplate
from ferris_beam.errors import BadRecordError, ConfigurationError, FatalError, SchemaError
from tests.connectors.file.sinks import (
    claimed,
    commit,
    entry,
    ids_in_file,
    rows,
    stage,
    staged_files,
    timed_rows,
    tree,
    writer,
)

ALL = "${year}/${month}/${day}/${hour}-${minute}"


def timed(values, kind):
    return pa.record_batch({"id": range(len(values)), "at": pa.array(values, kind)})


def paths(records, text=ALL, zone="UTC"):
    """The path of each row, in the order of the rows; rows of one path keep their order."""
    found: dict[int, str] = {}
    for path, piece in Partitioning((), PathTemplate(text, "at", zone)).split(records):
        ids = piece["id"].to_pylist()
        assert ids == sorted(ids)
        assert path not in found.values()
        found.update(dict.fromkeys(ids, path))
    return [found[at] for at in range(len(records))]


def expected(time, text=ALL):
    """What a person makes of it."""
    values = {"year": f"{time:%Y}".zfill(4), "month": f"{time:%m}", "day": f"{time:%d}"}
    values |= {"hour": f"{time:%H}", "minute": f"{time:%M}"}
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)
    return text


moments = st.datetimes(datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31, 23, 59, 59))
close = st.datetimes(datetime.datetime(2026, 3, 28), datetime.datetime(2026, 3, 30))
templates = st.sampled_from(
    [ALL, "${year}", "${month}", "m=${month}/d=${day}", "${hour}", "x-${minute}", "${day}/${hour}"]
)


@given(st.lists(moments, max_size=20) | st.lists(close, max_size=60), templates)
def test_every_row_lands_on_the_path_of_its_time(times, text):
    records = timed(times, pa.timestamp("us"))
    assert paths(records, text) == [expected(time, text) for time in times]


@given(
    st.lists(st.datetimes(datetime.datetime(1971, 1, 1), datetime.datetime(2036, 1, 1))),
    st.sampled_from(["Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "UTC"]),
    st.sampled_from(["s", "ms", "us", "ns"]),
    st.sampled_from([None, "UTC", "America/New_York"]),
)
def test_hours_and_days_are_those_of_the_zone(times, zone, unit, column_zone):
    times = [time.replace(microsecond=0, tzinfo=datetime.timezone.utc) for time in times]
    values = times if column_zone else [time.replace(tzinfo=None) for time in times]
    records = timed(values, pa.timestamp(unit, column_zone))
    local = [time.astimezone(zoneinfo.ZoneInfo(zone)) for time in times]
    assert paths(records, zone=zone) == [expected(time) for time in local]


@pytest.mark.parametrize("kind", [pa.date32(), pa.date64()], ids=str)
def test_dates_are_days_of_any_zone(kind):
    days = [datetime.date(2026, 1, 31), datetime.date(1969, 12, 31), datetime.date(2026, 2, 1)]
    found = paths(timed(days, kind), "${year}-${month}-${day}", "Asia/Tokyo")
    assert found == ["2026-01-31", "1969-12-31", "2026-02-01"]
    with pytest.raises(SchemaError, match=r"holds days, which have no \$\{hour\}"):
        paths(timed(days, kind), "${day}-${hour}")


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (None, "is null"),
        (datetime.datetime(9999, 12, 31, 23, 59), None),
        (253_402_300_800, "outside of the years 1 to 9999"),
        (-62_135_596_801, "outside of the years 1 to 9999"),
        (-(2**62), "outside of the years 1 to 9999"),
    ],
)
def test_a_row_without_a_usable_time_is_at_fault(value, what):
    good = datetime.datetime(2026, 1, 1)
    records = timed([good, good, value, good], pa.timestamp("s"))
    if what is None:
        assert paths(records)[2] == "9999/12/31/23-59"
        return
    with pytest.raises(BadRecordError, match=what) as caught:
        paths(records)
    assert caught.value.row == 2


def test_columns_that_hold_no_time_are_refused():
    with pytest.raises(SchemaError, match=r"no column 'at'.*id, text"):
        paths(rows(0, 1))
    with pytest.raises(SchemaError, match="'at' is string, and the path needs a timestamp"):
        paths(timed(["2026-01-01"], pa.string()))


def test_a_folder_for_each_day_is_read_as_hive_partitions(out):
    sink = claimed(f"{out}date=${{year}}-${{month}}-${{day}}/", format="parquet", event_time="at")
    commit(sink, 0, 150)
    commit(sink, 150, 200)
    found = ds.dataset(out, partitioning="hive").to_table().sort_by("id")
    assert found.drop_columns("date").to_pylist() == timed_rows(0, 200).to_pylist()
    days = ["2026-01-01"] * 96 + ["2026-01-02"] * 96 + ["2026-01-03"] * 8
    assert [str(day) for day in found["date"].to_pylist()] == days


def test_partitions_lie_below_the_folder_of_the_time(out):
    sink = claimed(
        f"{out}${{day}}/", format="jsonl", event_time="at", partition_by="country", roll_rows=24
    )
    for start in range(0, 192, 12):
        commit(sink, start, start + 12)
        sink.roll(1)
    folders = {os.path.dirname(name): ids_in_file(f"{out}{name}") for name in tree(out)}
    assert len(tree(out)) == len(folders) == 8
    assert folders["02/country=DE"] == list(range(96, 192, 4))


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_text_files_of_each_hour_grow_with_the_commits(out, ending):
    sink = claimed(f"{out}${{day}}/orders-${{hour}}.{ending}", event_time="at")
    for start in range(0, 12, 3):
        commit(sink, start, start + 3)
    assert tree(out) == [f"01/orders-0{hour}.{ending}" for hour in range(3)]
    assert [ids_in_file(f"{out}{name}") for name in tree(out)] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9, 10, 11],
    ]
    assert staged_files(out) == []


@pytest.mark.parametrize("ending", ["parquet", "jsonl.gz", "csv.gz"])
def test_files_that_can_not_grow_appear_at_the_finish(out, ending):
    sink = claimed(f"{out}${{hour}}.{ending}", event_time="at")
    assert "can grow" in sink.needs_end
    for start in range(0, 12, 3):
        commit(sink, start, start + 3)
    assert tree(out) == []
    sink.finish(1)
    sink.finish(1)
    assert [ids_in_file(f"{out}{name}") for name in tree(out)] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9, 10, 11],
    ]
    assert staged_files(out) == []


def test_writers_in_turn_and_a_restart_continue_the_files(out):
    path = f"{out}${{hour}}.csv"
    one, two = claimed(path, event_time="at"), writer(path, event_time="at")
    for start in range(0, 200, 20):
        commit(one, start, start + 10)
        commit(two, start + 10, start + 20)
    three = claimed(path, "three", 2, event_time="at")
    commit(three, 200, 240, epoch=2)
    late = stage(three, timed_rows(0, 2))
    three.commit(2, late, [entry(240, 242)])
    assert ids_in_file(f"{out}00.csv") == [*range(4), *range(96, 100), *range(192, 196), 0, 1]
    assert sum(len(ids_in_file(f"{out}{name}")) for name in tree(out)) == 242


def test_files_that_the_log_no_longer_remembers_are_continued(out, monkeypatch):
    monkeypatch.setattr("ferris_beam.commitlog.state._REMEMBERED_ENDS", 2)
    sink = claimed(f"{out}${{hour}}.jsonl", event_time="at")
    for start in range(0, 200, 5):
        commit(sink, start, start + 5)
    assert sorted(at for name in tree(out) for at in ids_in_file(f"{out}{name}")) == [*range(200)]


def test_data_of_others_is_refused_added_to_or_replaced(out):
    path = f"{out}${{day}}/${{hour}}.jsonl"
    before = claimed(path, "before", event_time="at")
    commit(before, 0, 8)
    os.makedirs(f"{out}other")
    for name in ("other/00.jsonl", "01/notes.txt"):
        with open(f"{out}{name}", "w") as file:
            file.write("{}\n")
    with pytest.raises(ConfigurationError, match=r"holds data of this pipeline.*01/00\.jsonl"):
        claimed(path, "again", 2, 2, event_time="at")
    added = claimed(path, "added", 2, 2, event_time="at", if_exists="append")
    commit(added, 0, 2, epoch=2)
    assert ids_in_file(f"{out}01/00.jsonl") == [0, 1, 2, 3, 0, 1]
    replaced = claimed(path, "replaced", 3, 3, event_time="at", if_exists="overwrite")
    commit(replaced, 4, 6, epoch=3)
    commit(replaced, 6, 8, epoch=3)
    assert ids_in_file(f"{out}01/01.jsonl") == [4, 5, 6, 7]
    replaced.finish(3)
    assert tree(out) == ["01/01.jsonl", "01/notes.txt", "other/00.jsonl"]
    assert ids_in_file(f"{out}01/01.jsonl") == [4, 5, 6, 7]


def test_a_folder_of_a_time_is_replaced_whole(out):
    path = f"{out}${{day}}/"
    commit(claimed(path, "before", format="csv", event_time="at"), 0, 100)
    after = claimed(path, "after", 2, 2, format="csv", event_time="at", if_exists="overwrite")
    commit(after, 90, 100, epoch=2)
    assert len(tree(out)) == 2
    after.finish(2)
    assert [ids_in_file(f"{out}{name}") for name in tree(out)] == [
        [*range(90, 96)],
        [*range(96, 100)],
    ]


def test_a_file_that_others_changed_is_noticed(out):
    sink = claimed(f"{out}${{hour}}.csv", event_time="at")
    commit(sink, 0, 2)
    with open(f"{out}00.csv", "a") as file:
        file.write("by hand\n")
    with pytest.raises(FatalError, match=r"00\.csv.*something else writes to it"):
        commit(sink, 2, 4)
    commit(sink, 4, 6)
    os.unlink(f"{out}01.csv")
    with pytest.raises(FatalError, match=r"01\.csv has 0 bytes.*committed"):
        commit(sink, 6, 8)


def test_columns_that_do_not_fit_a_files_header_are_refused(out):
    sink = claimed(f"{out}${{hour}}.csv", event_time="at")
    commit(sink, 0, 2)
    with pytest.raises(SchemaError, match="one header"):
        sink.commit(1, stage(sink, timed_rows(2, 4).drop_columns("text")), [entry(2, 4)])
    sink.commit(1, stage(sink, timed_rows(4, 6).drop_columns("text")), [entry(4, 6)])
    assert ids_in_file(f"{out}01.csv") == [4, 5]


def test_paths_and_options_that_do_not_go_together_are_refused(folder):
    with pytest.raises(ConfigurationError, match=r"made of the rows' time; say by event_time="):
        writer(f"{folder}/${{year}}/out.csv")
    with pytest.raises(ConfigurationError, match=r"fills names such as \$\{year\}"):
        writer(f"{folder}/out.csv", event_time="at")
    with pytest.raises(ConfigurationError, match=r"\$\{hours\} .*did you mean \$\{hour\}\?"):
        writer(f"{folder}/${{hours}}.csv", event_time="at")
    with pytest.raises(ConfigurationError, match="made by partition_by=COLUMN"):
        writer(f"{folder}/${{country}}/", format="csv", event_time="at")
    with pytest.raises(ConfigurationError, match="partition_by needs a folder"):
        writer(f"{folder}/${{hour}}.csv", event_time="at", partition_by="country")
    with pytest.raises(ConfigurationError, match="set format= for a folder"):
        writer(f"{folder}/${{hour}}/", event_time="at")
    with pytest.raises(ConfigurationError, match="zone works only with event_time"):
        writer(f"{folder}/out.csv", zone="Europe/Berlin")
    with pytest.raises(ConfigurationError, match="a time zone such as UTC"):
        writer(f"{folder}/${{hour}}.csv", event_time="at", zone="Europe/Nowhere")


def test_templates_of_one_folder_have_ledgers_of_their_own(out):
    for name in ("a", "b"):
        commit(claimed(f"{out}${{day}}/{name}.csv", event_time="at"), 0, 2)
    commit(claimed(f"{out}${{day}}/", format="csv", event_time="at", if_exists="append"), 0, 2)
    assert [ids_in_file(f"{out}{name}") for name in tree(out)] == [[0, 1]] * 3
