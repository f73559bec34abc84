"""A file sink without an engine: what the tests of the writer share."""

from __future__ import annotations

import datetime
import gzip
import json
import os
import pickle

import duckdb
import fastavro
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from ferris_beam.connectors.file import CONNECTOR
from ferris_beam.interval import Interval, Origin
from ferris_beam.ledger import Entry, Identity
from ferris_beam.options import resolve
from ferris_beam.uri import Uri

PATH = ("Read",)
COUNTRIES = ("DE", "FR", "a/b c", None)


def writer(uri, run="run-1", name="orders", **options):
    """A writer as a worker has it: pickled and opened."""
    parsed = Uri.parse(f"file://{uri}" if str(uri).startswith("/") else str(uri))
    made = CONNECTOR.writer(parsed, resolve(CONNECTOR.sink_options(), parsed, options))
    made = pickle.loads(pickle.dumps(made))
    made.open(Identity(name, run, "plan"))
    return made


def claimed(uri, run="run-1", epoch=1, generation=1, **options):
    made = writer(uri, run, **options)
    made.claim(epoch, generation)
    return made


def rows(start, end):
    """Rows that are their positions: ``id`` is unique, the others follow from it."""
    ids = range(start, end)
    return pa.record_batch(
        {
            "id": pa.array(ids, pa.int64()),
            "text": pa.array([f'row {at}, "quoted"' for at in ids]),
            "country": pa.array([COUNTRIES[at % len(COUNTRIES)] for at in ids], pa.string()),
        }
    )


def timed_rows(start, end):
    """`rows` with a column ``at``: four in each hour from the midnight that began 2026 on."""
    first = datetime.datetime(2026, 1, 1)
    times = [first + datetime.timedelta(minutes=15 * at) for at in range(start, end)]
    return rows(start, end).append_column("at", pa.array(times, pa.timestamp("us")))


def entry(start, end, unit="u", identity="", rejects=b""):
    return Entry(Origin(PATH, Interval(unit, start, end), identity), end - start, rejects)


def stage(sink, *batches):
    """Batches on their way into a sink."""
    staged = sink.begin()
    for records in batches:
        staged.write(records)
    return staged


def commit(sink, start, end, epoch=1):
    """Commits the rows of some positions, with times where the sink asks for them; returns the
    receipt."""
    made = timed_rows if sink.options.event_time else rows
    return sink.commit(epoch, stage(sink, made(start, end)), [entry(start, end)])


def tree(folder):
    """All files below a folder, relative to it, without the ledgers'."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "_ferris"]
        found += [os.path.relpath(os.path.join(place, name), folder) for name in names]
    return sorted(found)


def staged_files(folder):
    """What is left in the staging areas below a folder."""
    return sorted(
        name
        for place, _, names in os.walk(folder)
        for name in names
        if os.path.basename(place) == "staged"
    )


def ids_in_folder(folder, format="parquet"):
    """The ids that DuckDB finds in the data files below a folder, sorted."""
    files = [f"{folder}{name}" for name in tree(folder)]
    if not files:
        return []
    if format == "parquet":
        return sorted(row[0] for row in duckdb.read_parquet(files).project("id").fetchall())
    read = duckdb.read_csv if format == "csv" else duckdb.read_json
    return sorted(row[0] for name in files for row in read(name).project("id").fetchall())


def ids_we_read(path):
    """The ids in a file of any format, in order, by the reader of this package."""
    uri = Uri.build("file").path(path).uri()
    reader = CONNECTOR.reader(uri, resolve(CONNECTOR.source_options(), uri, {}))
    reader.open()
    chunks = [chunk for split in reader.splits({}) for chunk in reader.read(split)]
    reader.close()
    return [at for chunk in chunks for at in chunk.records["id"].to_pylist()]


def ids_in_file(path):
    """The ids in a file, in order, by readers of others."""
    if not os.path.exists(path):
        return None
    plain = path.removesuffix(".gz")
    if plain.endswith(".parquet"):
        return pq.read_table(path)["id"].to_pylist()
    if plain.endswith(".avro"):
        with open(path, "rb") as file:
            return [row["id"] for row in fastavro.reader(file)]
    if plain.endswith(".arrow"):
        with pa.ipc.open_file(path) as file:
            return file.read_all()["id"].to_pylist()
    if plain.endswith(".arrows"):
        with pa.ipc.open_stream(path) as stream:
            return stream.read_all()["id"].to_pylist()
    if plain.endswith(".jsonl"):
        unpacked = gzip.open if path.endswith(".gz") else open
        with unpacked(path, "rt") as file:
            return [json.loads(line)["id"] for line in file]
    delimiter = "\t" if plain.endswith(".tsv") else ","
    options = pacsv.ParseOptions(delimiter=delimiter)
    return pacsv.read_csv(path, parse_options=options)["id"].to_pylist()
