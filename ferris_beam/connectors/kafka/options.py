"""Options of the Kafka connector."""

from __future__ import annotations

from typing import Any, Literal

from ferris_beam.connectors.kafka.option_types import (
    Function,
    KeyFormat,
    Mechanism,
    MessageName,
    OnlyWith,
    Pattern,
    Same,
    SecurityProtocol,
    SinkFormat,
    SourceFormat,
    StartText,
    SystemColumn,
    UntilText,
)
from ferris_beam.connectors.kafka.starting import Start, parse_start
from ferris_beam.formats.types import Types
from ferris_beam.options import (
    ByteSize,
    Duration,
    Options,
    Secret,
    byte_size,
    duration,
    exclusive,
    option,
    requires,
)

_LIBRDKAFKA = (
    "security.protocol",
    "sasl.mechanism",
    "sasl.username",
    "sasl.password",
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.key.location",
    "ssl.key.password",
)


def _as_librdkafka(name: str, example: Any = None) -> Any:
    return option(
        None,
        name=name,
        description=f"{name.replace('.', '_')} as librdkafka spells it; it counts where both are "
        "given.",
        example=example,
    )


class ConnectionOptions(Options):
    """How brokers and the schema registry are reached; sources and sinks share these."""

    host_variables = ("KAFKA_BROKERS",)
    rules = (
        *(Same(name.replace(".", "_"), name) for name in _LIBRDKAFKA if "password" not in name),
        requires("schema_registry_user", "schema_registry"),
        requires("schema_registry_ca_location", "schema_registry"),
    )

    security_protocol: SecurityProtocol | None = option(
        None,
        description="How brokers are spoken to; by default PLAINTEXT, with a user SASL_SSL.",
        example="SASL_SSL",
    )
    sasl_mechanism: Mechanism = option(
        "PLAIN", description="How the user proves who they are.", example="SCRAM-SHA-512"
    )
    sasl_username: str | None = option(
        None, description="The user.", example="orders", uri_part="user"
    )
    sasl_password: Secret | None = option(
        None, description="The user's password.", example="env:KAFKA_PASSWORD", uri_part="password"
    )
    ssl_ca_location: str | None = option(
        None,
        description="The file of certificate authorities to trust; by default the machine's.",
        example="/etc/ssl/kafka-ca.pem",
    )
    ssl_certificate_location: str | None = option(
        None, description="The file of the client's certificate.", example="client.crt"
    )
    ssl_key_location: str | None = option(
        None, description="The file of the client's key.", example="client.key"
    )
    ssl_key_password: Secret | None = option(
        None, description="The password of the client's key.", example="env:KAFKA_KEY_PASSWORD"
    )
    librdkafka_security_protocol: SecurityProtocol | None = _as_librdkafka(
        "security.protocol", "SASL_SSL"
    )
    librdkafka_sasl_mechanism: Mechanism | None = _as_librdkafka("sasl.mechanism", "PLAIN")
    librdkafka_sasl_username: str | None = _as_librdkafka("sasl.username", "orders")
    librdkafka_sasl_password: Secret | None = _as_librdkafka("sasl.password", "env:KAFKA_PASSWORD")
    librdkafka_ssl_ca_location: str | None = _as_librdkafka("ssl.ca.location", "ca.pem")
    librdkafka_ssl_certificate_location: str | None = _as_librdkafka(
        "ssl.certificate.location", "client.crt"
    )
    librdkafka_ssl_key_location: str | None = _as_librdkafka("ssl.key.location", "client.key")
    librdkafka_ssl_key_password: Secret | None = _as_librdkafka(
        "ssl.key.password", "env:KAFKA_KEY_PASSWORD"
    )
    request_timeout: Duration = option(
        duration("5s"),
        description="How long brokers and the registry may take to answer.",
        example=duration("15s"),
        ge=duration("1s"),
    )
    schema_registry: str | None = option(
        None,
        description="The URL of the schema registry; several are separated by commas.",
        example="https://registry:8081",
        environment=["SCHEMA_REGISTRY_URL"],
    )
    schema_registry_user: str | None = option(
        None, description="The user at the registry.", example="orders"
    )
    schema_registry_password: Secret | None = option(
        None, description="The password at the registry.", example="env:REGISTRY_PASSWORD"
    )
    schema_registry_ca_location: str | None = option(
        None,
        description="The file of certificate authorities to trust at the registry.",
        example="/etc/ssl/registry-ca.pem",
    )
    schema_registry_ttl: Duration = option(
        duration("5m"),
        description="How long the latest schema of a subject is believed; schemas by their ids "
        "never change.",
        example=duration("30s"),
    )


class KafkaSourceOptions(ConnectionOptions):
    """How ``kafka://brokers/topic`` is read; the path is a topic, or several with commas."""

    tuning = frozenset(
        {"request_timeout", "batch_rows", "fetch_buffer", "discover_interval", "group_id"}
        | {"schema_registry_ttl"}
    )
    rules = (
        *ConnectionOptions.rules,
        *(
            exclusive("decoder", name)
            for name in ("format", "schema", "types", "extra_keys", "sample_messages")
        ),
        OnlyWith("schema_file", ("avro", "protobuf")),
        requires("message", format="protobuf"),
        exclusive("schema_file", "schema_registry"),
        exclusive("schema", "types"),
        exclusive("schema", "extra_keys"),
        OnlyWith("schema", ("json", "csv")),
        requires("types", format="json"),
        requires("extra_keys", format="json"),
        requires("sample_messages", format="json"),
        requires("delimiter", format="csv"),
        KeyFormat(),
    )

    pattern: Pattern | None = option(
        None,
        description="Instead of a path: reads all topics whose whole name fits this expression, "
        "also those that come later.",
        example="orders-.*",
    )
    partitions: tuple[int, ...] = option(
        (), description="Only these partitions of each topic.", example=(0, 1)
    )
    start: StartText = option(
        "earliest",
        description="Where a partition begins of which nothing was read yet: at its first message, "
        "behind its last one, at what the group committed, at a time, or at offsets.",
        example="latest",
    )
    until: UntilText | None = option(
        None,
        description="Ends: behind what is there when the run starts, or before a time. By default "
        "a topic never ends.",
        example="now",
    )
    group_id: str | None = option(
        None,
        description="The consumer group under which offsets are committed for monitoring, once all "
        "sinks hold what is below; where to go on is decided by the sinks.",
        example="orders-export",
    )
    discover_interval: Duration = option(
        duration("30s"),
        description="How often new topics and partitions are looked for; with 0 never, then each "
        "partition has a watermark of its own.",
        example=duration("5s"),
    )
    isolation: Literal["read_committed", "read_uncommitted"] = option(
        "read_committed",
        description="Whether messages of transactions are read that were not, or not yet, "
        "committed.",
        example="read_uncommitted",
    )
    on_data_loss: Literal["error", "earliest"] = option(
        "error",
        description="When messages were deleted before they were read: stop, or go on with the "
        "first that is there and say so in the log.",
        example="earliest",
    )
    format: SourceFormat = option(
        "json", name="format", description="What values are.", example="avro"
    )
    decoder: Function | None = option(
        None,
        description="Instead of a format: a function that is given a binary Arrow array of values "
        "and returns a record batch with a row for each.",
        example="shop.orders:decode",
    )
    declared_schema: Types | None = option(
        None,
        name="schema",
        description="JSON and CSV: the columns by name, and their types. JSON without it is "
        "looked at: `sample_messages`.",
        example={"id": "int64", "name": "string"},
    )
    types: Types = option(
        {},
        description="JSON: the types of some columns, which else the sample tells.",
        example={"zip": "string"},
    )
    sample_messages: int = option(
        1000,
        description="JSON: how many messages of each partition are looked at for the columns.",
        example=10_000,
        ge=1,
    )
    extra_keys: Literal["ignore", "reject"] = option(
        "ignore",
        description="JSON: what to do with messages that have keys that are no columns.",
        example="reject",
    )
    delimiter: str = option(
        ",", description="CSV: what separates fields.", example=";", min_length=1, max_length=1
    )
    schema_file: str | None = option(
        None,
        description="Avro and Protobuf without a registry: the file with the schema of the "
        "messages, an .avsc, a .proto, or a set of descriptors that protoc wrote.",
        example="orders.avsc",
    )
    message: MessageName | None = option(
        None,
        description="Protobuf: the full name of the message, by default the first of the schema; "
        "or the class that protoc made of it, which needs neither file nor registry.",
        example="shop.Order",
    )
    tombstones: Literal["null", "skip"] = option(
        "null",
        description="Messages without a value: rows whose columns are null, or no rows.",
        example="skip",
    )
    metadata: tuple[SystemColumn, ...] = option(
        (),
        description="Further columns: `_key`, `_headers`, `_timestamp`, `_partition`, `_offset`, "
        "`_topic`.",
        example=("key", "offset"),
    )
    key_format: Literal["bytes", "string"] = option(
        "bytes", description="What `_key` holds.", example="string"
    )
    event_time: str | None = option(
        None,
        description="The column of timestamps that is the event time; by default it is the "
        "message's timestamp.",
        example="ordered_at",
    )
    out_of_orderness: Duration = option(
        duration("5s"),
        description="How much later than newer messages of its partition a message may come: the "
        "watermark stays so far behind the highest event time.",
        example=duration("1m"),
    )
    max_future: Duration = option(
        duration("1h"),
        description="Event times further ahead of this machine's clock don't move the watermark.",
        example=duration("1d"),
    )
    batch_rows: int = option(65_536, description="Rows of a batch.", example=8192, ge=1)
    fetch_buffer: ByteSize = option(
        byte_size("32MiB"),
        description="How much is fetched ahead of each partition that is read.",
        example="8MiB",
        ge=byte_size("1MiB"),
        le=byte_size("1GiB"),
    )

    @property
    def begins(self) -> Start:
        return parse_start(self.start)


class KafkaSinkOptions(ConnectionOptions):
    """How ``kafka://brokers/topic`` is written."""

    tuning = frozenset(
        {"request_timeout", "batch_rows", "batch_bytes", "compression", "linger"}
        | {"transaction_timeout", "schema_registry_ttl"}
    )
    rules = (
        *ConnectionOptions.rules,
        requires("non_finite", format="json"),
        OnlyWith("subject", ("avro", "protobuf", "json")),
        OnlyWith("subject_strategy", ("avro", "protobuf", "json")),
        exclusive("subject", "subject_strategy"),
        requires("tombstones", "key"),
        *(requires(f"topic_{name}", create_topic=True) for name in ("partitions", "replication")),
        requires("topic_config", create_topic=True),
    )

    format: SinkFormat = option(
        "json", name="format", description="What values are.", example="avro"
    )
    key: tuple[str, ...] = option(
        (),
        description="The columns of the message's key: of one the text or bytes, of several a JSON "
        "object. Without it `_key`, where there is one.",
        example=("id",),
    )
    partition: str | None = option(
        None,
        description="The column with the partition's number; by default the key's hash decides.",
        example="shard",
    )
    headers: str | None = option(
        None,
        description="The column of headers, a map of text to text or bytes; without it `_headers`, "
        "where there is one.",
        example="headers",
    )
    timestamp: str | None = option(
        None,
        description="The column of the message's timestamp; without it `_timestamp`, where there "
        "is one.",
        example="ordered_at",
    )
    tombstones: bool = option(
        False,
        description="Whether rows whose columns are null but for the key's are written as messages "
        "without a value.",
        example=True,
    )
    non_finite: Literal["reject", "null"] = option(
        "reject",
        description="JSON, which has no NaN and no infinity: reject rows with them, or write null.",
        example="null",
    )
    compression: Literal["none", "lz4", "zstd", "snappy", "gzip"] = option(
        "lz4", description="How messages are compressed.", example="zstd"
    )
    create_topic: bool = option(
        False, description="Whether a topic that isn't there is created.", example=True
    )
    topic_partitions: int | None = option(
        None, description="Partitions of a created topic; by default the broker's.", example=6, ge=1
    )
    topic_replication: int | None = option(
        None,
        description="Replicas of a created topic, and of the ledger's; by default the broker's.",
        example=3,
        ge=1,
    )
    topic_config: tuple[str, ...] = option(
        (),
        description="Settings of a created topic.",
        example=("cleanup.policy=compact", "retention.ms=-1"),
    )
    subject_strategy: Literal["topic", "record", "topic_record"] | None = option(
        None,
        description="Under which subject the schema is registered: `orders-value`, the record's "
        "name, or both; Avro and Protobuf by default `topic`. JSON is registered only where this "
        "or `subject` is given.",
        example="record",
    )
    subject: str | None = option(
        None, description="The subject itself, instead of a strategy.", example="orders-value"
    )
    ledger_topic: str | None = option(
        None,
        description="The topic in which progress is kept, by default `_ferris_ledger.` and the "
        "topic's name; it is created where it isn't there.",
        example="orders-ledger",
    )
    transaction_timeout: Duration = option(
        duration("1m"),
        description="After so long the broker ends a transaction of a process that is gone.",
        example=duration("5m"),
        ge=duration("5s"),
    )
    linger: Duration = option(
        duration("20ms"),
        description="How long messages are gathered before they are sent.",
        example=duration("5ms"),
    )
    batch_rows: int = option(262_144, description="Rows of one transaction.", example=65_536, ge=1)
    batch_bytes: ByteSize = option(
        byte_size("64MiB"), description="Arrow bytes of one transaction.", example="16MiB", ge=1
    )
