"""A secret is found nowhere but where it is used."""

from __future__ import annotations

import base64
import bz2
import json
import logging
from types import ModuleType

import apache_beam as beam
import pytest
from apache_beam.portability.api import beam_runner_api_pb2
from google.protobuf.message import DecodeError

import ferris_beam as fb
from ferris_beam.runners import launch
from tests.transforms.pipelines import options

SECRET = "hunter2-is-not-a-word"


def build(p: beam.Pipeline) -> None:
    with fb.DeadLetters("faulty://dead", password=SECRET) as dead:
        source = f"faulty://source?reject_every=9&password={SECRET}"
        batches = p | fb.read(source, dead_letters=dead)
        batches | fb.write("faulty://out?refuse_every=7", password=SECRET, dead_letters=dead)


def test_the_pipeline_proto_holds_no_secret(numbers: ModuleType) -> None:
    """Also decompressed: Beam packs what it pickles."""
    pipeline = beam.Pipeline(options=options("--name=n"))
    build(pipeline)
    proto = pipeline.to_runner_api()
    assert SECRET.encode() not in proto.SerializeToString()
    pickles = [unpacked(each.spec.payload) for each in proto.components.transforms.values()]
    assert any(b"FaultyWriter" in pickle for pickle in pickles)
    assert not any(SECRET.encode() in pickle for pickle in pickles)


def unpacked(payload: bytes) -> bytes:
    """The pickle in a ParDo's payload; empty for other payloads."""
    found = beam_runner_api_pb2.ParDoPayload()
    try:
        found.ParseFromString(payload)
    except DecodeError:
        return b""
    packed = found.do_fn.payload
    return bz2.decompress(base64.b64decode(packed)) if packed else b""


def test_the_worker_gets_it_and_nobody_else(
    numbers: ModuleType, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    report = launch(build, options("--name=n"))
    assert SECRET in numbers.OPENED
    shown = capsys.readouterr()
    letters = json.dumps(numbers.TABLES["dead"].rows(), default=str)
    assert numbers.TABLES["dead"].rows()
    for text in (caplog.text, shown.out, shown.err, repr(report), report.to_json(), letters):
        assert SECRET not in text


def test_errors_hold_no_secret(numbers: ModuleType) -> None:
    with pytest.raises(fb.errors.ConfigurationError) as caught:
        fb.read(f"faulty://source?passwrod={SECRET}&password={SECRET}&units=many")
    assert SECRET not in str(caught.value)
    assert "did you mean" in str(caught.value)
    assert "units" in str(caught.value)

    def strict(p: beam.Pipeline) -> None:
        source = f"faulty://source?reject_every=9&password={SECRET}"
        p | fb.read(source) | fb.write("faulty://out")

    with pytest.raises(fb.errors.RejectedRowError) as stopped:
        launch(strict, options(), quiet=True)
    assert SECRET not in str(stopped.value)
    assert SECRET not in repr(stopped.value.report)


def test_representations_hold_no_secret(numbers: ModuleType) -> None:
    read = fb.read(f"faulty://source?password={SECRET}")
    for shown in (repr(read), str(read), read.label, repr(read.endpoint), repr(vars(read))):
        assert SECRET not in shown


def test_a_missing_secret_is_named_not_shown(
    numbers: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH_PASSWORD", raising=False)

    def missing(p: beam.Pipeline) -> None:
        p | fb.read("faulty://source", password="env:NO_SUCH_PASSWORD") | fb.write("faulty://out")

    with pytest.raises(fb.errors.FatalError, match="NO_SUCH_PASSWORD"):
        launch(missing, options(), quiet=True)
