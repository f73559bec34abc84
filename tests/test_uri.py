"""URIs: examples of each rule, and properties that hold for all."""

from __future__ import annotations

import copy
import os
import pickle
from pathlib import Path, PurePosixPath

import pytest

from ferris_beam.errors import ConfigurationError, ConfigurationErrors, UriError
from ferris_beam.uri import Host, Uri, UriBuilder

EXAMPLES = {
    "kafka://h1:9092,h2:9092/orders?group_id=g": Uri(
        "kafka",
        hosts=(Host("h1", 9092), Host("h2", 9092)),
        path="/orders",
        options=(("group_id", "g"),),
    ),
    "postgresql://app:p%40s%3As@[::1]:5432/shop": Uri(
        "postgresql", "app", "p@s:s", (Host("::1", 5432),), "/shop"
    ),
    "postgresql://app@h1,[fe80::1%25eth0]/db": Uri(
        "postgresql", "app", hosts=(Host("h1"), Host("fe80::1%eth0")), path="/db"
    ),
    "postgresql://%2Fvar%2Frun%2Fpostgresql/db": Uri(
        "postgresql", hosts=(Host("/var/run/postgresql"),), path="/db"
    ),
    "postgresql://app@/db": Uri("postgresql", "app", path="/db"),
    "redis://:secret@h/0": Uri("redis", None, "secret", (Host("h"),), "/0"),
    "KAFKA://Host/T": Uri("kafka", hosts=(Host("Host"),), path="/T"),
    "s3://bucket": Uri("s3", hosts=(Host("bucket"),)),
    "s3://bucket/a/**/x-[ab]{c,d}%3F*.csv": Uri(
        "s3", hosts=(Host("bucket"),), path="/a/**/x-[ab]{c,d}?*.csv"
    ),
    "s3://b/year=${year}/?a=${b?c&d#e}&f=1": Uri(
        "s3",
        hosts=(Host("b"),),
        path="/year=${year}/",
        options=(("a", "${b?c&d#e}"), ("f", "1")),
    ),
    "kafka://${BROKERS:-a:1,b:2},h:${PORT}/t": Uri(
        "kafka", hosts=(Host("${BROKERS:-a:1,b:2}"), Host("h:${PORT}")), path="/t"
    ),
    "memory:orders": Uri("memory", path="orders"),
    "memory://": Uri("memory"),
    "file:///data/x.csv?delimiter=;&quote=%27": Uri(
        "file", path="/data/x.csv", options=(("delimiter", ";"), ("quote", "'"))
    ),
    "file:/data/x.csv": Uri("file", path="/data/x.csv"),
    "file://localhost/data/x.csv": Uri("file", path="/data/x.csv"),
    "file:data/x.csv": Uri("file", path="data/x.csv"),
    "file:./x": Uri("file", path="./x"),
    "file://${DATA_DIR}/x.csv": Uri("file", path="${DATA_DIR}/x.csv"),
    "data/x.csv": Uri("file", path="data/x.csv"),
    "/data/x.csv": Uri("file", path="/data/x.csv"),
    "./out/": Uri("file", path="./out/"),
    "C:/data/x.csv": Uri("file", path="C:/data/x.csv"),
    "bücher/größe 1.csv?watch": Uri(
        "file", path="bücher/größe 1.csv", options=(("watch", "true"),)
    ),
    "data/%FF.csv": Uri("file", path="data/\udcff.csv"),
    "data/\udcff.csv": Uri("file", path="data/\udcff.csv"),
    "x.csv?a=1&a=2&&b=&c=d=e+f#part": Uri(
        "file",
        path="x.csv",
        options=(("a", "1"), ("a", "2"), ("b", ""), ("c", "d=e+f")),
        fragment="part",
    ),
    "x.csv?#": Uri("file", path="x.csv"),
}

WRONG = {
    "": (1, "empty"),
    " kafka://h/t": (1, "spaces"),
    "kafka://h/t ": (12, "spaces"),
    "kafka://h/a\tb": (12, "control"),
    "1kafka://h/t": (1, "scheme"),
    "k://h/t": (1, "scheme"),
    "kafka://h1,,h2/t": (12, "host 2 is empty"),
    "kafka://:9092/t": (9, "host 1 is empty"),
    "kafka://h1,h2:abc/t": (12, "host 2 is not name:port"),
    "kafka://h1:0/t": (12, "port of host 1"),
    "kafka://h1:65536/t": (12, "port of host 1"),
    "kafka://h1:999999/t": (12, "port of host 1"),
    "kafka://a:b:c/t": (9, "host 1 is not name:port"),
    "kafka://[::1/t": (9, "host 1 is not name:port"),
    "kafka://[::g]:1/t": (9, "no IPv6 address"),
    "kafka://a b/t": (9, "forbidden"),
    "kafka://a%00b/t": (9, "forbidden"),
    "kafka://a@b@c/t": (10, "%40"),
    "kafka://h/a%zz": (12, "two hexadecimal"),
    "kafka://h/a%4": (12, "two hexadecimal"),
    "kafka://${H}/a%4": (15, "two hexadecimal"),
    "kafka://h/%00": (10, "%00"),
    "kafka://h/t?a=%FF": (15, "UTF-8"),
    "kafka://h/t?a=1&=2": (17, "name of an option"),
    "kafka://h/t?a b=1": (13, "name of an option"),
    "kafka://h/t?a/b": (13, "name of an option"),
    "file://data/x.csv": (8, "file:data/x.csv"),
    "file://user@localhost/x.csv": (8, "a file has no host"),
    "data/\ud800.csv": (6, "control"),
}


@pytest.mark.parametrize(("text", "uri"), EXAMPLES.items(), ids=map(ascii, EXAMPLES))
def test_parse(text: str, uri: Uri) -> None:
    assert Uri.parse(text) == uri
    assert hash(Uri.parse(text)) == hash(uri)
    assert Uri.parse(uri.text()) == uri


@pytest.mark.parametrize("text", [text for text in EXAMPLES if text.isascii()])
def test_text_of_common_uris_is_as_it_was_written(text: str) -> None:
    usual = {
        "KAFKA://Host/T": "kafka://Host/T",
        "file:/data/x.csv": "file:///data/x.csv",
        "file://localhost/data/x.csv": "file:///data/x.csv",
        "file://${DATA_DIR}/x.csv": "file:${DATA_DIR}/x.csv",
        "data/x.csv": "file:data/x.csv",
        "/data/x.csv": "file:///data/x.csv",
        "./out/": "file:./out/",
        "C:/data/x.csv": "file:C:/data/x.csv",
        "file:///data/x.csv?delimiter=;&quote=%27": "file:///data/x.csv?delimiter=;&quote='",
        "x.csv?a=1&a=2&&b=&c=d=e+f#part": "file:x.csv?a=1&a=2&b=&c=d=e+f#part",
        "data/%FF.csv": "file:data/%FF.csv",
        "x.csv?#": "file:x.csv",
    }
    assert Uri.parse(text).text() == usual.get(text, text)


@pytest.mark.parametrize(("text", "place_and_problem"), WRONG.items(), ids=ascii)
def test_errors_say_what_and_where(text: str, place_and_problem: tuple[int, str]) -> None:
    place, problem = place_and_problem
    with pytest.raises(UriError) as raised:
        Uri.parse(text)
    assert f"at character {place}: " in str(raised.value)
    assert problem in str(raised.value)


def test_a_port_may_be_left_out() -> None:
    assert Uri.parse("kafka://h1:/t").hosts == (Host("h1"),)


def test_a_caret_shows_the_place_where_no_secret_can_be() -> None:
    with pytest.raises(UriError) as raised:
        Uri.parse("kafka://h1,,h2/orders")
    assert raised.value.message.splitlines()[1:] == ["kafka://h1,,h2/orders", " " * 11 + "^"]


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://app:hunter2/db",
        "postgresql://app:hun/ter2@h/db",
        "postgresql://app:hun?ter2@h/db",
        "postgresql://app:hun#ter2@h/db",
        "postgresql://app:hunter2%@h/db",
        "postgresql://h,,/db?password=hunter2",
        "file://app:hunter2@localhost/x",
        "app:hunter2%zz",
    ],
)
def test_errors_never_hold_a_part_that_may_be_secret(text: str) -> None:
    with pytest.raises(UriError) as raised:
        Uri.parse(text)
    assert "hun" not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://app:s3@h/db", "postgresql://app:***@h/db"),
        ("postgresql://app@h/db", "postgresql://app@h/db"),
        ("postgresql://h/db?password=s3&a=1", "postgresql://h/db?password=***&a=1"),
        ("postgresql://h/db?password=env:PW", "postgresql://h/db?password=env:PW"),
        ("postgresql://h/db?password=${PW}", "postgresql://h/db?password=${PW}"),
        ("postgresql://h/db?password=${PW:-s3}", "postgresql://h/db?password=***"),
        ("s3://b/?secret_access_key=s3", "s3://b/?secret_access_key=***"),
        ("kafka://h/t?sasl.password=s3#x", "kafka://h/t?sasl.password=***#x"),
        ("iceberg://c/t?uri=https://u:s3@h/", "iceberg://c/t?uri=https://u:***@h/"),
        ("postgresql:/app:s3@h/db", "postgresql:///***@h/db"),
        ("postgresql:app:s3@h/db", "***@h/db"),
        ("kafka://h/password=s3/t", "kafka://h/password=***"),
    ],
)
def test_str_and_repr_hide_secrets(text: str, shown: str) -> None:
    assert str(Uri.parse(text)) == shown
    assert repr(Uri.parse(text)) == f"Uri({shown!r})"


def test_a_uri_with_a_password_refuses_to_be_pickled() -> None:
    uri = Uri.parse("postgresql://app:s3cret@h/db?table=t&api_key=k")
    with pytest.raises(ConfigurationError, match="scrubbed") as raised:
        pickle.dumps(uri)
    assert "s3cret" not in str(raised.value)
    scrubbed = uri.scrubbed()
    assert scrubbed == Uri.parse("postgresql://app@h/db?table=t")
    assert pickle.loads(pickle.dumps(scrubbed)) == copy.copy(scrubbed) == scrubbed
    assert uri.scrubbed(["table"]) == Uri.parse("postgresql://app@h/db?api_key=k")


def test_uris_are_immutable() -> None:
    with pytest.raises(AttributeError):
        Uri.parse("kafka://h/t").path = "/x"  # type: ignore[misc]


def test_options() -> None:
    uri = Uri.parse("x.csv?a=1&b=2&a=3")
    assert uri.option("a") == "3"
    assert uri.option_values("a") == ("1", "3")
    assert uri.option("c") is None
    assert uri.option("c", "0") == "0"
    assert uri.option_names == {"a", "b"}
    assert uri.with_option("a", 4).options == (("b", "2"), ("a", "4"))
    assert uri.with_option("c", True).option("c") == "true"
    assert uri.without("a").options == (("b", "2"),)
    assert uri.without_options().options == ()
    with pytest.raises(UriError, match="name of an option"):
        uri.with_option("a&b", "1")


def test_builder() -> None:
    builder = Uri.build("kafka").host("a", 9092).host("b", 9092).path("orders")
    with_options = builder.option("group_id", "g").option("watch", True).option("n", 1)
    assert builder.uri().text() == "kafka://a:9092,b:9092/orders"
    assert with_options.uri().text() == "kafka://a:9092,b:9092/orders?group_id=g&watch=true&n=1"
    secret = builder.user("app").password("s3:cret@/").fragment("f").uri()
    assert (secret.user, secret.password, secret.fragment) == ("app", "s3:cret@/", "f")
    assert "s3" not in str(builder.password("s3cret"))
    assert "s3" not in repr(builder.password("s3cret"))


@pytest.mark.parametrize(
    "builder",
    [
        Uri.build("ka fka").host("h"),
        Uri.build("file:x"),
        Uri.build("kafka").host("h1:9092"),
        Uri.build("kafka").host("h1,h2"),
        Uri.build("kafka").host("h", 70000),
        Uri.build("file").host("h").path("x"),
        Uri.build("file").path("a\0b"),
    ],
    ids=repr,
)
def test_builder_checks_what_it_built(builder: UriBuilder) -> None:
    with pytest.raises(UriError):
        builder.uri()


def test_builder_refuses_a_host_without_a_name() -> None:
    with pytest.raises(UriError, match="needs a name"):
        Uri.build("kafka").host("")


def test_of_takes_whatever_names_a_source() -> None:
    uri = Uri.parse("file:data/100%25 [1].csv")
    assert Uri.of(uri) is uri
    assert Uri.of("file:data/100%25 [1].csv") == uri
    assert Uri.of(Path("data/100% [1].csv")) == uri
    assert Uri.of(PurePosixPath("data/100% [1].csv")) == uri
    assert Uri.of(Uri.build("file").path("data/100% [1].csv")) == uri
    assert Uri.of(Path(os.fsdecode(b"\xff"))).path == "\udcff"
    with pytest.raises(UriError, match="not int"):
        Uri.of(3)  # type: ignore[arg-type]


def test_variables_are_replaced_part_by_part() -> None:
    uri = Uri.parse(
        "kafka://${U}:${P}@${BROKERS},h3:${PORT}/${T}/${year}?a=${A:-x&y}&b=$${A}&c=${c}#${F}"
    )
    environment = {
        "U": "us/er",
        "P": "p@ss:w?rd#",
        "BROKERS": "h1:1,[::1]:2",
        "PORT": "3",
        "T": "a?b#c",
        "F": "f",
    }
    assert uri.expanded(environment) == Uri(
        "kafka",
        "us/er",
        "p@ss:w?rd#",
        (Host("h1", 1), Host("::1", 2), Host("h3", 3)),
        "/a?b#c/${year}",
        (("a", "x&y"), ("b", "${A}"), ("c", "${c}")),
        "f",
    )


def test_a_variable_may_be_the_folder_of_a_socket() -> None:
    uri = Uri.parse("postgresql://${PGHOST}/db").expanded({"PGHOST": "/var/run/postgresql"})
    assert uri == Uri.parse("postgresql://%2Fvar%2Frun%2Fpostgresql/db")


def test_a_uri_without_variables_stays_itself() -> None:
    uri = Uri.parse("s3://b/year=2024?x=1")
    assert uri.expanded({}) is uri


def test_all_missing_variables_are_reported() -> None:
    with pytest.raises(ConfigurationErrors) as raised:
        Uri.parse("kafka://${HOST}/t?a=${A:?give the a}&b=${A:?give the a}").expanded({})
    assert len(raised.value.problems) == 2
    assert "HOST is not set" in raised.value.problems[0]
    assert "A is not set: give the a" in raised.value.problems[1]


@pytest.mark.parametrize("hosts", ["h:x", "a,,b", "s3cret@h", "s3cret%zz", ":1"])
def test_what_a_variable_gives_must_be_hosts(hosts: str) -> None:
    with pytest.raises(UriError) as raised:
        Uri.parse("kafka://${HOSTS}/t").expanded({"HOSTS": hosts})
    assert "s3cret" not in str(raised.value)


def test_a_variable_brings_no_scheme() -> None:
    with pytest.raises(UriError, match="scheme") as raised:
        Uri.parse("${DATABASE_URL}").expanded({"DATABASE_URL": "postgresql://u:s3cret@h/d"})
    assert "s3cret" not in str(raised.value)
