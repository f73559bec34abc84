"""Secrets are where they are said to be, and never in what travels."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from ferris_beam.errors import ConfigurationError, FatalError
from ferris_beam.options import Secret


class Model(BaseModel):
    secret: Secret


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@given(st.text(min_size=6).filter(lambda text: text.isprintable()))
def test_a_literal_is_never_in_what_travels(literal: str) -> None:
    secret = Secret.of("s3cret" + literal)
    shown = [repr(secret), str(secret), f"{secret}", repr(Model(secret=secret)), repr([secret])]
    shown += [Model(secret=secret).model_dump_json(), json.dumps(str(secret)), secret.reference]
    assert "s3cret" not in "".join(shown)
    assert b"s3cret" not in pickle.dumps(secret)
    assert secret.is_local
    assert pickle.loads(pickle.dumps(secret)).resolve() == "s3cret" + literal
    assert Secret.of("s3cret" + literal) == secret


def test_what_is_shown_of_a_literal_is_the_same_in_every_run() -> None:
    assert str(Secret.of("a")) == str(Secret.of("b")) == "***"
    assert repr(Secret.of("a")) == "Secret('***')"


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("env:PW", "env:PW"),
        ("${PW}", "env:PW"),
        ("env:DATABASE_URL#password", "env:DATABASE_URL#password"),
        ("file:/run/secrets/pw", "file:/run/secrets/pw"),
        ("connection:shop#password", "connection:shop#password"),
    ],
)
def test_references(text: str, reference: str) -> None:
    secret = Secret.of(text)
    assert secret.reference == str(secret) == reference
    assert not secret.is_local
    assert Secret.of(secret) is secret


@pytest.mark.parametrize(
    "text", ["", "env:", "env:a b", "abc#def", "vault:x", "${PW}x", "connection:x"]
)
def test_everything_else_is_a_literal(text: str) -> None:
    assert Secret.of(text).is_local
    assert Secret.of(text).resolve() == text


def test_only_text_is_a_secret() -> None:
    with pytest.raises(ValueError, match="text"):
        Secret.of(5)  # type: ignore[arg-type]


def test_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FatalError, match="variable PW is not set in this worker; export it"):
        Secret.of("env:PW").resolve()
    monkeypatch.setenv("PW", "s3cret")
    assert Secret.of("env:PW").resolve() == "s3cret"


def test_of_a_uri_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("URL", "postgresql://app:s3%40cret@h/db")
    assert Secret.of("env:URL#password").resolve() == "s3@cret"
    monkeypatch.setenv("URL", "postgresql://app@h/db")
    with pytest.raises(FatalError, match="URL holds no password"):
        Secret.of("env:URL#password").resolve()


def test_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_bytes("s3crét \r\n".encode())
    assert Secret.of(f"file:{path}").resolve() == "s3crét "
    path.write_bytes(b"\xff")
    with pytest.raises(FatalError, match="not UTF-8"):
        Secret.of(f"file:{path}").resolve()
    with pytest.raises(FatalError, match="No such file") as raised:
        Secret.of("file:no/such").resolve()
    assert "make the file readable where the workers run" in str(raised.value)


def test_of_a_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PW", "from the variable")
    (tmp_path / "pw").write_text("from the file\n")
    Path("ferris.toml").write_text(
        f"""
        [connections]
        literal = {{password = "s3cret"}}
        variable = {{password = "${{PW}}"}}
        env = {{password = "env:PW"}}
        file = {{password = "file:{tmp_path}/pw"}}
        uri = {{uri = "shop://app:${{PW}}@h/db"}}
        none = {{uri = "shop://app@h/db"}}
        """
    )
    resolved = {
        name: Secret.of(f"connection:{name}#password").resolve()
        for name in ("literal", "variable", "env", "file", "uri")
    }
    assert resolved == {
        "literal": "s3cret",
        "variable": "from the variable",
        "env": "from the variable",
        "file": "from the file",
        "uri": "from the variable",
    }
    with pytest.raises(FatalError, match="'none' has no 'password'"):
        Secret.of("connection:none#password").resolve()
    with pytest.raises(ConfigurationError, match="did you mean 'none'"):
        Secret.of("connection:nine#password").resolve()


def test_expanded() -> None:
    secret = Secret.of("${PW:-post}gres")
    assert secret.expanded({}).resolve() == "postgres"
    assert secret.expanded({"PW": "x"}).resolve() == "xgres"
    assert Secret.of("env:PW").expanded({}) == Secret("env:PW")


def resolve_elsewhere(secret: Secret) -> str:
    try:
        return secret.resolve()
    except FatalError as error:
        return f"{os.getpid()} {error}"


def test_a_literal_is_unknown_in_another_process() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        answer = pool.apply(resolve_elsewhere, [Secret.of("s3cret")])
    assert not answer.startswith(str(os.getpid()))
    assert "export it as a variable where the workers run, and give env:NAME" in answer
    assert "s3cret" not in answer
