"""The second stage: layers, what fills a URI, and problems from everywhere at once."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ferris_beam.errors import ConfigurationErrors
from ferris_beam.options import Resolved, Secret, check, resolve, resolve_endpoint
from ferris_beam.uri import Host, Uri
from tests.options.models import Acks, Everything, Required


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def resolved(uri: str, environment: dict[str, str] | None = None, **arguments: Any) -> Resolved:
    """As the factory does it: checked first, and what that gives is resolved later."""
    scrubbed, kept = check(Everything, Uri.parse(uri), arguments)
    return resolve_endpoint(Everything, scrubbed, kept, environment or {})


def options(uri: str, environment: dict[str, str] | None = None, **arguments: Any) -> Everything:
    found = resolved(uri, environment, **arguments).options
    assert isinstance(found, Everything)
    return found


def problems(uri: str, environment: dict[str, str] | None = None, **arguments: Any) -> list[str]:
    with pytest.raises(ConfigurationErrors) as raised:
        resolve(Everything, Uri.parse(uri), arguments, environment or {})
    return list(raised.value.problems)


def test_values_have_their_types() -> None:
    found = options(
        "shop://app:pw@h/db?table=t&schema=s&rows=10&ratio=0.25&size=1kB&idle=2m&watch&acks=none"
        "&parallel=3&columns=a,b&parts=1&parts=2&folder=x/y"
    )
    assert found.schema_name == "s"
    assert (found.rows, found.ratio, found.size, found.watch) == (10, 0.25, 1000, True)
    assert found.idle is not None
    assert found.idle.total_seconds() == 120
    assert (found.acks, found.parallel) == (Acks.NONE, 3)
    assert (found.columns, found.parts, found.folder) == (("a", "b"), [1, 2], Path("x/y"))
    assert (found.user, found.password) == ("app", Secret.of("pw"))


def test_defaults_are_validated_too() -> None:
    found = options("shop:?table=t")
    assert found.size == 64_000_000
    assert found.idle is not None
    assert found.idle.total_seconds() == 5


def test_commas_separate_only_where_a_list_does_not_repeat() -> None:
    assert options("shop:?table=t&columns=a,b").columns == ("a", "b")
    assert options("shop:?table=t&columns=a,b&columns=c").columns == ("a,b", "c")
    assert options("shop:?table=t", columns="a,,b").columns == ("a", "", "b")
    assert options("shop:?table=t", columns=["a,b"]).columns == ("a,b",)
    assert options("shop:?table=t&columns=").columns == ()


LAYERS = ["argument", "uri", "connection", "connection_uri", "own", "customary_uri"]


@given(st.sets(st.sampled_from(LAYERS)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_precedence(layers: set[str]) -> None:
    number = {layer: index + 1 for index, layer in enumerate(LAYERS)}

    def given_by(layer: str, text: str) -> str:
        return text.format(number[layer]) if layer in layers else ""

    Path("ferris.toml").write_text(
        "[connections.c]\ntable = 't'\n"
        + given_by("connection", "rows = {}\n")
        + f"uri = 'shop:?mode=table{given_by('connection_uri', '&rows={}')}'\n"
    )
    environment = {
        "FERRIS_SHOP_ROWS": given_by("own", "{}"),
        "SHOP_URL": "shop://h/db" + given_by("customary_uri", "?rows={}"),
    }
    uri = "shop:?connection=c" + given_by("uri", "&rows={}")
    arguments = {"rows": number["argument"]} if "argument" in layers else {}
    strongest = min((number[layer] for layer in layers), default=1000)
    assert options(uri, environment, **arguments).rows == strongest


def test_own_variables_come_before_customary_ones() -> None:
    environment = {"SHOP_USER": "customary", "FERRIS_SHOP_USER": "own", "FERRIS_SHOP_TABLE": "t"}
    assert options("shop:", environment).user == "own"
    del environment["FERRIS_SHOP_USER"]
    assert options("shop:", environment).user == "customary"
    environment["SHOP_USER"] = ""
    assert options("shop:", environment).user is None


def test_variables_in_the_uri_are_replaced() -> None:
    found = resolved(
        "shop://${H}/db/${T}/${year}?rows=${N:-7}&table=${T}", {"H": "a:1,b", "T": "x"}
    )
    assert found.uri.hosts == (Host("a", 1), Host("b"))
    assert found.uri.path == "/db/x/${year}"
    assert (found.options.rows, found.options.table) == (7, "x")  # type: ignore[attr-defined]


class TestCompletion:
    TOML = """
        [connections.c]
        uri = "store://app:pw@h1:1,${H2}/db?rows=5"
        table = "${T}"
    """

    def test_a_connection_fills_the_uri(self) -> None:
        Path("ferris.toml").write_text(self.TOML)
        found = resolved("shop:?connection=c", {"H2": "h2", "T": "t"})
        assert found.uri == Uri.parse("shop://app@h1:1,h2/db?connection=c")
        values = found.options.model_dump(include={"table", "rows", "user", "password"})
        expected = {"table": "t", "rows": 5, "user": "app", "password": "connection:c#password"}
        assert values == expected

    def test_what_the_uri_says_stays(self) -> None:
        Path("ferris.toml").write_text(self.TOML)
        found = resolved("shop://bob@h9/other?connection=c&rows=6", {"H2": "h2", "T": "t"})
        assert found.uri == Uri.parse("shop://bob@h9/other?connection=c&rows=6")
        assert found.options.user == "bob"  # type: ignore[attr-defined]

    def test_the_connection_may_come_from_the_environment(self) -> None:
        Path("ferris.toml").write_text(self.TOML)
        environment = {"FERRIS_SHOP_CONNECTION": "c", "H2": "h2", "T": "t"}
        assert resolved("shop:", environment).options.connection == "c"

    def test_a_connection_of_another_kind_is_refused(self) -> None:
        Path("ferris.toml").write_text("[connections.c]\nuri = 'kafka://h/t'")
        (problem, *_) = problems("shop:?connection=c&table=t")
        assert problem == "the connection 'c' is for kafka, not for shop"

    def test_a_customary_uri_fills_the_uri(self) -> None:
        found = resolved("shop:?table=t", {"SHOP_URL": "store://app:pw@h/db?rows=3"})
        assert found.uri == Uri.parse("shop://app@h/db?table=t")
        assert found.options.rows == 3  # type: ignore[attr-defined]
        assert found.options.password == Secret("env:SHOP_URL#password")  # type: ignore[attr-defined]

    @pytest.mark.parametrize("url", ["mysql://app:pw@h/db", ""])
    def test_a_customary_uri_of_another_kind_is_not_used(self, url: str) -> None:
        found = resolved("shop:?table=t", {"SHOP_URL": url})
        assert found.uri == Uri.parse("shop:?table=t")
        assert found.options.password is None  # type: ignore[attr-defined]

    def test_no_password_goes_to_a_host_of_the_uri(self) -> None:
        found = resolved("shop://other/db?table=t", {"SHOP_URL": "shop://app:pw@h/db"})
        assert found.uri.hosts == (Host("other"),)
        assert found.options.password is None  # type: ignore[attr-defined]

    def test_customary_hosts(self) -> None:
        found = resolved("shop:/topic?table=t", {"SHOP_HOSTS": "a:1,b:2"})
        assert found.uri == Uri.parse("shop://a:1,b:2/topic?table=t")


class TestSecrets:
    def test_variables_become_references(self) -> None:
        found = options("shop:?table=t", {"SHOP_PASSWORD": "pw", "FERRIS_SHOP_API_KEY": "k"})
        assert found.password == Secret("env:SHOP_PASSWORD")
        assert found.api_key == Secret("env:FERRIS_SHOP_API_KEY")

    def test_defaults_of_variables_are_literals(self) -> None:
        uri = "shop://app:${PW:-postgres}@h/db?table=t"
        assert options(uri).password == Secret.of("postgres")
        assert options(uri, {"PW": "other"}).password == Secret.of("other")

    def test_connections_keep_theirs(self) -> None:
        Path("ferris.toml").write_text(
            "[connections.c]\ntable = 't'\npassword = 's3cret'\napi_key = 'env:KEY'"
        )
        found = options("shop:?connection=c")
        assert found.password == Secret("connection:c#password")
        assert found.api_key == Secret("env:KEY")

    def test_local_ones_are_named(self) -> None:
        found = options("shop://app:pw@h/db?table=t&api_key=env:KEY")
        assert found.local_secrets == ("password",)

    def test_they_are_nowhere_in_what_is_kept(self) -> None:
        found = resolved("shop://app:s3cret-pw@h/db?table=t&api_key=s3cret-key")
        assert b"s3cret" not in pickle.dumps(found)
        assert pickle.loads(pickle.dumps(found)) == found
        assert "s3cret" not in repr(found) + str(found.options) + found.options.model_dump_json()


class TestProblems:
    def test_of_all_layers_come_at_once_and_say_where_from(self) -> None:
        Path("ferris.toml").write_text("[connections.c]\nrowz = 1\nratio = 7")
        found = problems(
            "shop://${HOST}/db?connection=c&idle=x&table=${TABLE}&slot=s",
            {"FERRIS_SHOP_ROWS": "many"},
            mode="cdcc",
        )
        assert sorted(found) == [
            "idle is 'x' (not a duration); it must be a duration such as 500ms, 5s, 2m or 1h30m, "
            "such as 1h30m",
            "mode is 'cdcc'; it must be one of table, cdc, such as cdc; did you mean 'cdc'?",
            "ratio (from the connection 'c') is 7; it must be a number of more than 0 and less "
            "than 1, such as 0.1",
            "rows (from the variable FERRIS_SHOP_ROWS) is 'many'; it must be a whole number of at "
            "least 1 and at most 100000, such as 500",
            "slot works only with publication and mode=cdc; add that or leave it out",
            "the variable HOST is not set; export it, or write ${HOST:-default}",
            "the variable TABLE is not set; export it, or write ${TABLE:-default}",
            "there is no option 'rowz' (from the connection 'c'); did you mean 'rows'?",
        ]

    def test_one_of_several(self) -> None:
        (problem,) = problems("shop:")
        assert problem == "one of table, query is needed; give it in the URI or in the call"

    def test_missing_options_say_how_to_give_them(self) -> None:
        with pytest.raises(ConfigurationErrors) as raised:
            resolve(Required, Uri.parse("shop+x:"), {}, {})
        assert raised.value.problems == (
            "table is missing (the table to write); give table=orders in the URI or the call, or "
            "set FERRIS_SHOP_X_TABLE",
        )

    def test_an_option_whose_variable_is_not_set_is_not_missing(self) -> None:
        with pytest.raises(ConfigurationErrors) as raised:
            resolve(Required, Uri.parse("shop:?table=${T}"), {}, {})
        assert raised.value.problems == (
            "the variable T is not set; export it, or write ${T:-default}",
        )

    def test_requirements_are_met_by_defaults_and_other_layers(self) -> None:
        assert (
            options("shop:?table=t&slot=s&mode=cdc", {"FERRIS_SHOP_PUBLICATION": "p"}).slot == "s"
        )

    def test_secrets_of_the_environment_are_not_shown(self) -> None:
        found = problems("shop:?rows=0", {"SHOP_URL": "shop://app:s3cret@h,,/db"})
        assert "s3cret" not in "".join(found)


def test_the_environment_is_that_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRIS_SHOP_TABLE", "t")
    assert resolve(Everything, Uri.parse("shop:")).model_dump()["table"] == "t"
