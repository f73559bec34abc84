"""Errors of librdkafka, as the three kinds that the engine knows, with what to do next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException

from ferris_beam.errors import (
    ConfigurationError,
    FatalError,
    FerrisError,
    TransientError,
    UnreachableError,
)
from ferris_beam.redaction import redact

_LOGIN = "check user and password (sasl_username, sasl_password) and sasl_mechanism"
_CONFIGURATION = {
    KafkaError._AUTHENTICATION: _LOGIN,
    KafkaError.SASL_AUTHENTICATION_FAILED: _LOGIN,
    KafkaError.UNSUPPORTED_SASL_MECHANISM: "the broker wants another sasl_mechanism",
    KafkaError.ILLEGAL_SASL_STATE: _LOGIN,
    KafkaError._SSL: "check ssl_ca_location, and that the port speaks TLS (security_protocol)",
    KafkaError.UNKNOWN_TOPIC_OR_PART: "check the topic's name; a sink creates it with "
    "create_topic=true",
    KafkaError._UNKNOWN_TOPIC: "check the topic's name; a sink creates it with create_topic=true",
    KafkaError._UNKNOWN_PARTITION: "check the partitions' numbers",
    KafkaError.TOPIC_EXCEPTION: "a topic's name has letters, digits, '.', '_' and '-'",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "the user lacks a right on the topic: READ and "
    "DESCRIBE for a source, WRITE and DESCRIBE for a sink and its ledger_topic, which is read too",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "the user lacks the right READ on the group",
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "the user lacks the right WRITE on "
    "transactional ids that begin with 'ferris-'",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "the user lacks a right on the cluster",
    KafkaError.INVALID_REPLICATION_FACTOR: "set topic_replication to what the brokers allow",
    KafkaError.INVALID_CONFIG: "check topic_config",
    KafkaError.INVALID_TRANSACTION_TIMEOUT: "transaction_timeout is above the broker's "
    "transaction.max.timeout.ms",
    KafkaError.INVALID_RECORD: "a topic with cleanup.policy=compact takes only messages with a "
    "key: set key=",
    KafkaError.INVALID_TIMESTAMP: "the topic's message.timestamp.before.max.ms or "
    "message.timestamp.after.max.ms refuses a message's timestamp",
    KafkaError.POLICY_VIOLATION: "the cluster's policy forbids it",
    KafkaError.MSG_SIZE_TOO_LARGE: "raise the topic's max.message.bytes, or commit less at a time "
    "(batch_rows)",
    KafkaError.RECORD_LIST_TOO_LARGE: "raise the topic's max.message.bytes",
    KafkaError.UNSUPPORTED_COMPRESSION_TYPE: "take another compression",
    KafkaError._INVALID_ARG: "check the options of the connection",
}
_UNREACHABLE = {
    KafkaError._TRANSPORT,
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._RESOLVE,
    KafkaError._TIMED_OUT,
    KafkaError._TIMED_OUT_QUEUE,
    KafkaError._WAIT_COORD,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.NOT_COORDINATOR,
    KafkaError.NETWORK_EXCEPTION,
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.NOT_CONTROLLER,
}
_LEADERLESS = {
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.BROKER_NOT_AVAILABLE,
    KafkaError.REPLICA_NOT_AVAILABLE,
    KafkaError.LISTENER_NOT_FOUND,
    KafkaError.OFFSET_NOT_AVAILABLE,
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError._NOENT,  # of a question for offsets: "No leaders found"
}
"""As long as a broker is away or has just come back: that is waited for as an answer is."""

_TRANSIENT = {
    KafkaError._FENCED,
    KafkaError.INVALID_PRODUCER_EPOCH,
    KafkaError.PRODUCER_FENCED,
    KafkaError.CONCURRENT_TRANSACTIONS,
    KafkaError.INVALID_PRODUCER_ID_MAPPING,
    KafkaError.UNKNOWN_PRODUCER_ID,
    KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER,
    KafkaError.NOT_ENOUGH_REPLICAS,
    KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    KafkaError.KAFKA_STORAGE_ERROR,
    KafkaError._STATE,
    KafkaError._PURGE_QUEUE,
    KafkaError._PURGE_INFLIGHT,
    KafkaError._FATAL,
    KafkaError._MSG_TIMED_OUT,
}
_NOISE = re.compile(r"\[thrd:[^\]]*\]: |^[^ ]*/(?:bootstrap|\d+): ")


@contextmanager
def explained(display: str) -> Iterator[None]:
    """Turns errors of confluent-kafka into ours; ``display`` says where, without secrets."""
    try:
        yield
    except FerrisError:
        raise
    except KafkaException as error:
        raise of_error(error.args[0], display) from error
    except SystemError as error:  # a callback's exception during a flush; see __cause__
        cause = error.__cause__
        if isinstance(cause, KafkaException):
            raise of_error(cause.args[0], display) from error
        raise


def of_error(error: KafkaError, display: str) -> FerrisError:
    """The error of ours that says what ``error`` means."""
    code = error.code()
    message = f"{display}: {words_of(error)}"
    if code in _CONFIGURATION:
        return ConfigurationError(f"{message}\n{_CONFIGURATION[code]}")
    if code in _UNREACHABLE:
        return UnreachableError(
            f"{message}\ncheck the brokers' addresses, and that they are reached from here"
        )
    if is_leaderless(error):
        return UnreachableError(f"{message}\nno broker leads the partition; see that all run")
    if code in _TRANSIENT or error.retriable() or error.txn_requires_abort():
        return TransientError(message)
    return FatalError(message)


def is_leaderless(error: KafkaError) -> bool:
    """Whether nobody leads a partition, or another broker than the client believes."""
    return error.code() in _LEADERLESS


def words_of(error: KafkaError) -> str:
    """librdkafka's text without the names of its threads."""
    return redact(_NOISE.sub("", error.str() or error.name()))


class Heard:
    """What a client said by its error callback: the reason why it does not answer."""

    def __init__(self) -> None:
        self.last: KafkaError | None = None
        self.final: KafkaError | None = None

    def __call__(self, error: KafkaError) -> None:
        if error.code() in _CONFIGURATION or error.fatal():
            self.final = self.final or error
        elif error.code() != KafkaError._ALL_BROKERS_DOWN or self.last is None:
            self.last = error

    def raise_if_final(self, display: str) -> None:
        """Raises what waiting can't mend, such as a wrong password."""
        if self.final is not None:
            raise of_error(self.final, display)

    def unreachable(self, display: str, seconds: float) -> FerrisError:
        """Why nothing came for so long."""
        self.raise_if_final(display)
        why = f": {words_of(self.last)}" if self.last is not None else ""
        return UnreachableError(
            f"{display}: no answer within {seconds:g} s{why}\n"
            "check the brokers' addresses, and that they are reached from here; request_timeout= "
            "is how long they may take"
        )
