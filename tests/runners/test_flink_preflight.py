"""What is looked at before a job goes to Flink: nothing is submitted where any of it is wrong."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions

import ferris_beam as fb
from ferris_beam.cli.main import main
from ferris_beam.errors import ConfigurationError, ConfigurationErrors, FatalError
from ferris_beam.runners import beam_options, choose
from ferris_beam.runners.capabilities import FLINK
from ferris_beam.runners.features import Feature
from ferris_beam.runners.flink import pool
from ferris_beam.runners.flink.cluster import first_line
from ferris_beam.runners.flink.defaults import TIMEOUT_SECONDS
from ferris_beam.runners.flink.preflight import check_submission
from ferris_beam.runners.flink.watchdog import reason_of
from tests.runners.feature_pipelines import Seen, build
from tests.runners.test_flink import folder_of_another_python
from tests.services import processes
from tests.services.flink import SLOTS, FlinkCluster, running_pool

SOMEWHERE = ("--flink_master=127.0.0.1:1", "--environment_config=127.0.0.1:2")


def line_of(feature: Feature, *flags: str) -> str:
    options = PipelineOptions(list(flags))
    choice = choose(options)
    pipeline = beam.Pipeline(options=options)
    build(feature, pipeline, Seen())
    return choice.settled(pipeline).line


def problems_of(*flags: str) -> list[str]:
    options = PipelineOptions(list(flags))
    choose(options)
    with pytest.raises(ConfigurationErrors) as caught:
        check_submission(options)
    return list(caught.value.problems)


class TestDefaults:
    def test_endless_input_gets_checkpoints_and_short_bundles(self) -> None:
        line = line_of(Feature.ENDLESS_READ, "--runner=flink", *SOMEWHERE)
        for flag in (
            "--streaming",
            "--environment_type=EXTERNAL",
            f"--job_server_timeout={TIMEOUT_SECONDS}",
            "--checkpointing_interval=10000",
            "--max_bundle_time_mills=500",
            "--finish_bundle_before_checkpointing",
        ):
            assert flag in line

    def test_what_was_said_is_kept(self) -> None:
        said = ("--checkpointing_interval=700", "--max_bundle_time_mills=90", "--parallelism=2")
        line = line_of(Feature.ENDLESS_READ, "--runner=flink", *SOMEWHERE, *said)
        assert all(flag in line for flag in said)

    def test_input_that_ends_needs_none(self) -> None:
        line = line_of(Feature.BOUNDED_READ, "--runner=flink", *SOMEWHERE)
        assert "--streaming" not in line
        assert "checkpoint" not in line

    @pytest.mark.parametrize("runner", ["flink", "FlinkRunner", "PortableRunner"])
    def test_beams_names_with_the_address_of_a_cluster_mean_it_too(self, runner: str) -> None:
        options = PipelineOptions([f"--runner={runner}", *SOMEWHERE])
        assert choose(options).runner == FLINK
        assert options.view_as(StandardOptions).runner == "FlinkRunner"

    def test_without_an_address_beams_names_are_left_to_beam(self) -> None:
        assert choose(PipelineOptions(["--runner=FlinkRunner"])).runner == "FlinkRunner"
        endpoint = ["--runner=PortableRunner", "--job_endpoint=127.0.0.1:1"]
        assert choose(PipelineOptions(endpoint)).runner == "PortableRunner"

    def test_a_cluster_and_workers_must_be_named(self) -> None:
        with pytest.raises(ConfigurationError, match="--flink_master=http://HOST:8081"):
            choose(PipelineOptions(["--runner=flink"]))
        with pytest.raises(ConfigurationError, match="--environment_config=HOST:PORT"):
            choose(PipelineOptions(["--runner=flink", SOMEWHERE[0]]))


class TestChecks:
    def test_a_cluster_that_is_ready_passes(self, flink: FlinkCluster) -> None:
        options = PipelineOptions([*flink.flags, f"--parallelism={SLOTS}"])
        choose(options)
        check_submission(options)

    def test_all_that_is_not_there_is_told_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("ferris_beam.runners.flink.preflight.CONNECT_SECONDS", 0.5)
        ports = [processes.free_port() for _ in range(3)]
        found = problems_of(
            "--runner=flink",
            f"--flink_master=http://127.0.0.1:{ports[0]}",
            f"--job_endpoint=127.0.0.1:{ports[1]}",
            f"--environment_config=127.0.0.1:{ports[2]}",
        )
        for problem, flag, port in zip(
            found,
            ("--flink_master", "--job_endpoint", "--environment_config"),
            ports,
            strict=True,
        ):
            assert flag in problem
            assert str(port) in problem

    def test_slots_that_are_not_free(self, flink: FlinkCluster) -> None:
        (problem,) = problems_of(*flink.flags, f"--parallelism={SLOTS + 1}")
        assert f"needs {SLOTS + 1} slots" in problem
        assert f"{SLOTS} of the {SLOTS}" in problem

    def test_another_server_is_no_cluster(self, flink: FlinkCluster, page: str) -> None:
        (problem,) = problems_of(*flink.flags, f"--flink_master={page}")
        assert page in problem
        assert "--flink_master" in problem

    def test_another_server_is_no_pool(self, flink: FlinkCluster) -> None:
        (problem,) = problems_of(*flink.flags[:-1], f"--environment_config={flink.job_endpoint}")
        assert "is no worker pool" in problem

    def test_a_pool_whose_python_has_no_beam(
        self, flink: FlinkCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pool, "START_SECONDS", 2.0)
        path = folder_of_another_python(tmp_path)
        with running_pool(path, tmp_path / "log") as address:
            (problem,) = problems_of(*flink.flags[:-1], f"--environment_config={address}")
        assert "the first `python` on the pool's PATH" in problem
        assert address in problem

    def test_a_pool_with_other_versions(
        self, flink: FlinkCluster, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here = pool.own_versions()
        assert pool.versions_of(flink.pool) == here
        monkeypatch.setattr(pool, "own_versions", lambda: here | {"pyarrow": "0.1"})
        (problem,) = problems_of(*flink.flags)
        assert f"pyarrow {here['pyarrow']} there, 0.1 here" in problem
        assert "apache-beam" not in problem

    def test_nothing_is_submitted_and_nothing_written(
        self, flink: FlinkCluster, tmp_path: Path
    ) -> None:
        (tmp_path / "in.csv").write_text("id\n1\n")
        before = flink.get("/jobs/overview")["jobs"]
        source, sink = f"file:{tmp_path}/in.csv", f"file:{tmp_path}/out.csv"
        with pytest.raises(ConfigurationErrors, match="slots"):
            fb.launch(
                lambda p: p | fb.read(source) | fb.write(sink),
                beam_options([*flink.flags, "--parallelism=9"]),
                quiet=True,
            )
        assert len(flink.get("/jobs/overview")["jobs"]) == len(before)
        assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


@pytest.fixture
def page() -> Iterator[str]:
    """The address of a web server that knows no page."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def test_a_job_that_does_not_run_can_t_be_stopped(
    flink: FlinkCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stop", "nothing", f"--flink_master={flink.rest}"]) == 1
    assert "no job 'nothing' runs" in capsys.readouterr().err


class TestReasons:
    JAVA = (
        "org.apache.flink.JobException: Recovery is suppressed\n\tat org.A.b(A.java:1)\n"
        "Caused by: java.lang.Exception: TaskManager with id 7 is no longer reachable.\n\tat x\n"
    )
    PYTHON = (
        "java.lang.RuntimeException: Error received from SDK harness for instruction 4: Traceback "
        '(most recent call last):\n  File "x.py", line 1, in f\n    raise E()\n'
        "{}\n\n\tat org.apache.beam.X.y(X.java:2)\n"
    )

    def test_the_root_cause_of_java(self) -> None:
        assert first_line(self.JAVA) == "Exception: TaskManager with id 7 is no longer reachable."
        assert reason_of(self.JAVA) == first_line(self.JAVA)

    def test_the_error_of_python_inside_of_it(self) -> None:
        text = self.PYTHON.format("ValueError: bad [while running 'Step']")
        assert reason_of(text) == "ValueError: bad [while running 'Step']"

    def test_one_of_ours_is_told_as_it_was_raised(self) -> None:
        name = f"{FatalError.__module__}.{FatalError.__qualname__}"
        text = self.PYTHON.format(f"{name}: no such table [while running 'Step']")
        assert reason_of(text) == "no such table"
