"""Named connections and profiles in TOML and YAML."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ferris_beam.errors import ConfigurationError, MissingDependencyError
from ferris_beam.options.connections import connection, connections

TOML = """
[connections.shop]
uri = "postgresql://app@localhost/shop"
pool_size = 2

[connections.lake]
region = "eu"

[profiles.base.connections.shop]
sslmode = "require"

[profiles.production]
extends = "base"

[profiles.production.connections.shop]
uri = "postgresql://app@db1,db2/shop"

[profiles.production.connections.events]
uri = "kafka://b1/events"
"""
YAML = """
connections:
  shop: {uri: "postgresql://app@localhost/shop", pool_size: 2}
  lake: {region: eu}
profiles:
  base:
    connections:
      shop: {sslmode: require}
  production:
    extends: base
    connections:
      shop: {uri: "postgresql://app@db1,db2/shop"}
      events: {uri: "kafka://b1/events"}
"""


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("file", "text"), [("ferris.toml", TOML), ("ferris.yaml", YAML), ("ferris.yml", YAML)]
)
class TestFiles:
    def test_without_a_profile(self, file: str, text: str) -> None:
        Path(file).write_text(text)
        assert connections({}) == {
            "shop": {"uri": "postgresql://app@localhost/shop", "pool_size": 2},
            "lake": {"region": "eu"},
        }

    def test_a_profile_adds_to_what_it_extends(self, file: str, text: str) -> None:
        Path(file).write_text(text)
        assert connections({"FERRIS_PROFILE": "production"}) == {
            "shop": {
                "uri": "postgresql://app@db1,db2/shop",
                "pool_size": 2,
                "sslmode": "require",
            },
            "lake": {"region": "eu"},
            "events": {"uri": "kafka://b1/events"},
        }

    def test_the_file_may_be_elsewhere(self, file: str, text: str, tmp_path: Path) -> None:
        folder = tmp_path / "etc"
        folder.mkdir()
        (folder / file).write_text(text)
        assert connections({}) == {}
        assert connection("lake", {"FERRIS_CONFIG": str(folder / file)}) == {"region": "eu"}

    def test_unknown_names(self, file: str, text: str) -> None:
        Path(file).write_text(text)
        expected = rf"no connection 'shopp' \({file}\); did you mean 'shop'"
        with pytest.raises(ConfigurationError, match=expected):
            connection("shopp", {})
        with pytest.raises(ConfigurationError, match=r"profile 'base'.*there are: lake, shop"):
            connection("zzz", {"FERRIS_PROFILE": "base"})
        with pytest.raises(ConfigurationError, match=r"no profile 'productoin' .*; did you mean"):
            connections({"FERRIS_PROFILE": "productoin"})


def wrong(text: str, file: str = "ferris.toml", **environment: str) -> str:
    Path(file).write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        connections(environment)
    assert file in str(raised.value)
    return str(raised.value)


def test_no_file() -> None:
    assert connections({"FERRIS_PROFILE": "any"}) == {}
    with pytest.raises(ConfigurationError, match=r"working folder has none of ferris\.toml"):
        connection("shop", {})


def test_a_named_file_must_be_there() -> None:
    with pytest.raises(ConfigurationError, match=r"FERRIS_CONFIG names no\.toml"):
        connections({"FERRIS_CONFIG": "no.toml"})


def test_two_files() -> None:
    Path("ferris.yaml").write_text(YAML)
    assert "keep one" in wrong(TOML)


def test_rings() -> None:
    text = "[profiles]\na = {extends = 'b'}\nb = {extends = 'a'}"
    assert "extends itself" in wrong(text, FERRIS_PROFILE="a")


def test_not_a_table() -> None:
    assert "must be a table" in wrong("connections = 3")
    assert "'shop'" in wrong("connections.shop = 3")


def test_not_even_names() -> None:
    assert "must hold a table" in wrong("[1, 2]", "ferris.yaml")


def test_broken_files_do_not_show_what_they_hold() -> None:
    toml = wrong("[connections.c]\npassword = s3cret'")
    Path("ferris.toml").unlink()
    yaml = wrong("connections:\n  c: {password: 's3cret\n  x: [", "ferris.yaml")
    assert "line 2" in toml
    assert "not valid YAML at line" in yaml
    assert "s3cret" not in toml + yaml


def test_yaml_may_have_to_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    Path("ferris.yaml").write_text(YAML)
    with pytest.raises(MissingDependencyError, match="pip install 'PyYAML'"):
        connections({})
