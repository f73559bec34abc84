"""What goes wrong is said within seconds, with what to do, and without secrets."""

from __future__ import annotations

import base64
import json
import pickle
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from confluent_kafka import KafkaError

from ferris_beam.connector import Reader, Writer
from ferris_beam.connectors.kafka.failures import of_error
from ferris_beam.connectors.kafka.options import KafkaSourceOptions
from ferris_beam.errors import (
    ConfigurationError,
    ConfigurationErrors,
    FerrisError,
    TransientError,
    UnreachableError,
)
from ferris_beam.ledger import Identity
from ferris_beam.testing.cases import sample
from tests.connectors.kafka.conftest import NewTopic
from tests.connectors.kafka.endpoints import read, reader_of, reading, writer_of
from tests.connectors.kafka.test_formats import write
from tests.services.kafka import PASSWORD, USER, KafkaBroker, Topic
from tests.services.schema_registry import SchemaRegistry

Attempt = Callable[[str], None]


def _read(uri: str) -> None:
    read(uri)


def _write(uri: str) -> None:
    """As a run begins."""
    writer = writer_of(uri.replace("&schema=id:int64", "").replace("?schema=id:int64", "?"))
    try:
        writer.open(Identity("p", "run-1", "plan"))
        writer.ledger()
        writer.claim(1, 1)
    finally:
        writer.close()


def failure(attempt: Attempt, uri: str, seconds: float = 10) -> FerrisError:
    began = time.monotonic()
    with pytest.raises(FerrisError) as found:
        attempt(uri)
    assert time.monotonic() - began < seconds, found.value
    return found.value


@contextmanager
def silent_port() -> Iterator[int]:
    """Takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


@pytest.mark.parametrize("attempt", [_read, _write])
def test_a_broker_that_is_down_is_noticed(attempt: Attempt) -> None:
    error = failure(attempt, "kafka://127.0.0.1:1/orders")
    assert isinstance(error, UnreachableError)
    assert "kafka://127.0.0.1:1" in error.message
    assert "check the brokers' addresses" in error.message


@pytest.mark.parametrize("attempt", [_read, _write])
def test_something_that_never_answers_is_noticed(attempt: Attempt) -> None:
    with silent_port() as port:
        error = failure(attempt, f"kafka://127.0.0.1:{port}/orders?request_timeout=2s")
    assert isinstance(error, UnreachableError)


@pytest.mark.parametrize("attempt", [_read, _write])
def test_a_host_that_has_no_address_is_noticed(attempt: Attempt) -> None:
    error = failure(attempt, "kafka://no-such-host.invalid:9092/orders?request_timeout=2s")
    assert isinstance(error, UnreachableError)
    assert "no-such-host.invalid" in error.message


@pytest.mark.parametrize("attempt", [_read, _write])
def test_an_unknown_topic_is_named(broker: KafkaBroker, attempt: Attempt) -> None:
    error = failure(attempt, f"kafka://{broker.address}/missing-topic")
    assert isinstance(error, ConfigurationError)
    assert "missing-topic" in error.message
    assert "check the topic's name" in error.message


@pytest.mark.parametrize("attempt", [_read, _write])
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_a_wrong_password_or_mechanism_is_said_and_not_shown(
    topic: Topic, attempt: Attempt, mechanism: str
) -> None:
    place = f"{USER}:wrong-pass-phrase@127.0.0.1:{topic.broker.login_port}/{topic.name}"
    uri = f"kafka://{place}?security_protocol=SASL_PLAINTEXT&sasl_mechanism={mechanism}"
    error = failure(attempt, uri)
    assert isinstance(error, ConfigurationError), error
    assert "sasl_mechanism" in error.message
    assert "wrong-pass-phrase" not in f"{error!r} {error} {error.__cause__!r}"


@pytest.mark.parametrize("style", ["uri", "librdkafka"])
def test_who_has_the_password_reads_and_writes(topic: Topic, style: str) -> None:
    host = f"127.0.0.1:{topic.broker.login_port}/{topic.name}"
    if style == "uri":
        uri = f"kafka://{USER}:{PASSWORD}@{host}?security_protocol=SASL_PLAINTEXT"
    else:
        uri = f"kafka://{host}?security.protocol=SASL_PLAINTEXT&sasl.mechanism=PLAIN"
        uri += f"&sasl.username={USER}&sasl.password={PASSWORD}"
    write(uri, sample())
    assert read(uri).num_rows == 24


def test_two_values_of_one_option_are_refused(topic: Topic) -> None:
    with pytest.raises(ConfigurationErrors, match="one option with two values"):
        reader_of(f"{topic.uri()}?sasl_username=a&sasl.username=b")


def test_a_broker_without_tls_is_told_from_one_with(topic: Topic) -> None:
    error = failure(_read, topic.uri(security_protocol="SSL", request_timeout="3s"))
    assert "SSL" in error.message


# ── a broker that hangs ─────────────────────────────────────────────────────────────────────────


def test_a_broker_that_hangs_while_it_is_read_is_noticed_and_reading_goes_on(
    topic: Topic,
) -> None:
    topic.produce([json.dumps({"id": n}).encode() for n in range(4)])
    uri = topic.uri(until="now", batch_rows=2, request_timeout="2s", schema="id:int64")
    with reading(uri) as reader:
        (split,) = reader.splits({})
        with topic.broker.hanging(), pytest.raises(TransientError):
            list(reader.read(split))
        reader.close()
        reader.open()
        rows = [row for c in reader.read(split) for row in c.records.to_pylist()]
    assert rows == [{"id": n} for n in range(4)]


@pytest.mark.parametrize(
    "code",
    [KafkaError._NOENT, KafkaError.LEADER_NOT_AVAILABLE, KafkaError.FENCED_LEADER_EPOCH],
)
def test_a_partition_without_a_leader_is_waited_for(code: int) -> None:
    error = of_error(KafkaError(code), "kafka://b:9092/orders")
    assert isinstance(error, UnreachableError)
    assert "no broker leads the partition" in error.message


# ── the registry ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("attempt", [_read, lambda uri: write(uri, sample())])
def test_a_registry_that_is_down_is_named(topic: Topic, attempt: Attempt) -> None:
    error = failure(attempt, topic.uri(format="avro", schema_registry="http://127.0.0.1:1"))
    assert isinstance(error, UnreachableError)
    assert "http://127.0.0.1:1 can't be reached" in error.message


def test_the_next_registry_is_asked_where_one_is_down(
    topic: Topic, registry: SchemaRegistry
) -> None:
    urls = f"http://127.0.0.1:1,{registry.url}"
    write(topic.uri(format="avro", schema_registry=urls), sample())
    assert read(topic.uri(format="avro", schema_registry=urls)).num_rows == 24


def test_something_that_is_no_registry_is_named(topic: Topic, registry: SchemaRegistry) -> None:
    wrong = registry.url.removesuffix("/apis/ccompat/v7") + "/nowhere"
    error = failure(_read, topic.uri(format="avro", schema_registry=wrong))
    assert "schema" in error.message


class _Guarded(BaseHTTPRequestHandler):
    """Lets in who knows the password, to say that there is nothing."""

    def do_GET(self) -> None:
        wanted = "Basic " + base64.b64encode(b"me:registry-pass").decode()
        known = self.headers.get("Authorization") == wanted
        body = json.dumps({"error_code": 40401, "message": "Subject not found"}).encode()
        self.send_response(404 if known else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing."""


@pytest.fixture
def guarded() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Guarded)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_registry_is_given_the_password_and_says_when_it_is_wrong(
    topic: Topic, guarded: str
) -> None:
    uri = topic.uri(format="avro", schema_registry=guarded, schema_registry_user="me")
    error = failure(_read, f"{uri}&schema_registry_password=not-it-at-all")
    assert isinstance(error, ConfigurationError)
    assert "refuses the user" in error.message
    assert "not-it-at-all" not in f"{error} {error.__cause__!r} {error.__context__!r}"
    error = failure(_read, f"{uri}&schema_registry_password=registry-pass")
    assert "nothing is registered" in error.message


# ── secrets, declarations ───────────────────────────────────────────────────────────────────────


def test_no_pickle_and_no_repr_holds_a_secret(new_topic: NewTopic) -> None:
    topic = new_topic()
    host = f"127.0.0.1:{topic.broker.login_port}/{topic.name}"
    uri = f"kafka://{USER}:{PASSWORD}@{host}?security_protocol=SASL_PLAINTEXT"
    topic.produce([b'{"id":1}'])
    reader, writer = reader_of(uri), writer_of(uri)
    reader.open()
    writer.open(Identity("p", "run-1", "plan"))
    try:
        splits = list(reader.splits({}))
        writer.claim(1, 1)
        shown = [repr(reader), repr(writer), repr(splits), writer.place, repr(writer.ledger())]
        parts: tuple[Reader | Writer, ...] = (reader, writer)
        held = [*map(pickle.dumps, parts), pickle.dumps(splits)]
    finally:
        reader.close()
        writer.close()
    ledger = Topic(topic.broker, f"_ferris_ledger.{topic.name}")
    held += [value for value in ledger.values(committed=False) if value]
    assert all(PASSWORD not in text for text in shown)
    assert all(PASSWORD.encode() not in data for data in held)


def test_brokers_may_come_from_the_environment(
    topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic.produce([b'{"id":1}'])
    monkeypatch.setenv("KAFKA_BROKERS", topic.broker.address)
    assert read(f"kafka:///{topic.name}").to_pylist() == [{"id": 1}]


@pytest.mark.parametrize(
    "options",
    [
        "schema=id:int64&format=avro",
        "types=id:int64&format=string",
        "delimiter=;",
        "schema_file=a.avsc",
        "decoder=a:b&schema=id:int64",
        "key_format=string",
        "extra_keys=reject&schema=id:int64",
    ],
)
def test_options_that_would_be_ignored_are_refused(options: str) -> None:
    with pytest.raises(ConfigurationErrors, match=r"works only with|exclude each other"):
        reader_of(f"kafka://b:9092/orders?{options}")


def test_a_source_needs_topics_or_a_pattern_and_not_both() -> None:
    for uri in ("kafka://b:9092", "kafka://b:9092/orders?pattern=o.*"):
        with pytest.raises(ConfigurationError, match="has a pattern="):
            reader_of(uri)
    assert KafkaSourceOptions().start == "earliest"


@pytest.mark.parametrize(
    "option", ["start=soon", "until=later", "pattern=(", "decoder=x", "format=xml"]
)
def test_values_that_mean_nothing_are_refused_with_what_is_allowed(option: str) -> None:
    with pytest.raises(ConfigurationErrors, match=option.partition("=")[0]):
        reader_of(f"kafka://b:9092/orders?{option}")
