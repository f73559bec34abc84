"""Secrets in messages of drivers and in logs."""

from __future__ import annotations

import time

import pytest

from ferris_beam.redaction import redact, sounds_secret


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "can't connect to postgresql://app:s3@h:5432/db?sslmode=require (timeout)",
            "can't connect to postgresql://app:***@h:5432/db?sslmode=require (timeout)",
        ),
        ("postgresql://app:s3/x@h and s3://b/k", "postgresql://app:***@h and s3://b/k"),
        ("two: a://u:p@h, b://u:q@r@h", "two: a://u:***@h, b://u:***@h"),
        ("host=h user=app password=s3 dbname=db", "host=h user=app password=*** dbname=db"),
        ("sasl.password=a&aws_secret_access_key=b", "sasl.password=***&aws_secret_access_key=***"),
        ("password=env:PW&token=file:/run/t", "password=env:PW&token=file:/run/t"),
        ("password=env:PW!&x=1", "password=***&x=1"),
        ("ask bob@example.com", "ask ***@example.com"),
        ("no secret: a=b, c://d/e, 12:34", "no secret: a=b, c://d/e, 12:34"),
    ],
)
def test_redact(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize("name", ["password", "PGPASSWORD", "db_pwd", "api_key", "accessKey"])
def test_names_that_sound_secret(name: str) -> None:
    assert sounds_secret(name)


@pytest.mark.parametrize("name", ["key", "primary_key", "table", "keyboard", "accessible"])
def test_names_that_do_not(name: str) -> None:
    assert not sounds_secret(name)


@pytest.mark.parametrize("filler", ["a", "a.", "://", "a:", "&", "password", "=", "token="])
def test_time_grows_with_the_length_only(filler: str) -> None:
    """Messages can be long; a second is many times what 100,000 characters need."""
    text = filler * (100_000 // len(filler))
    start = time.process_time()
    redact(text)
    assert time.process_time() - start < 1
