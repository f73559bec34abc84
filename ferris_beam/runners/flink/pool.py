"""Asking a worker pool which Python its workers run, and with which packages.

A pool starts workers with the first ``python`` on its PATH. Where that one lacks Beam, a worker
dies at once, and Flink waits for it for ever. So the pool is asked for a worker here, as a cluster
would ask for it (Beam's Fn API: BeamFnExternalWorkerPool and BeamFnControl), and the worker is
given one ParDo whose function can't be loaded: its error message holds the versions.
"""

from __future__ import annotations

import json
import platform
import queue
import re
import socket
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib import metadata
from typing import Any

import apache_beam as beam
import grpc
from apache_beam.internal import pickler
from apache_beam.portability import common_urns
from apache_beam.portability.api import beam_fn_api_pb2 as fn_api
from apache_beam.portability.api import beam_fn_api_pb2_grpc as fn_api_grpc
from apache_beam.portability.api import beam_runner_api_pb2, endpoints_pb2

from ferris_beam.errors import ConfigurationError

PACKAGES = ("apache-beam", "pyarrow", "ferris-beam")
CONNECT_SECONDS = 10.0
START_SECONDS = 30.0
_MARK = "ferris-versions"
_FOUND = re.compile(_MARK + r" (\{.*?\}) end")
_HOW = (
    "it is started by `python -m apache_beam.runners.worker.worker_pool_main --service_port=PORT` "
    "beside each TaskManager, with the environment's bin folder first on its PATH"
)

_REPORT = f"""
import json, platform
from importlib import metadata
found = {{"python": platform.python_version()}}
for name in {PACKAGES!r}:
    try:
        found[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        found[name] = None
try:
    import ferris_beam
    found["ferris-beam"] = ferris_beam.__version__
except ImportError:
    found["ferris-beam"] = None
raise RuntimeError("{_MARK} " + json.dumps(found) + " end")
"""


class _Report:
    """Can't be loaded: what is run instead tells the versions. Needs nothing of this package."""

    def __reduce__(self) -> Any:
        return exec, (_REPORT,)


def check_pool(address: str) -> None:
    """Raises `ConfigurationError` where the workers of the pool at ``address`` can't run pipelines
    that are built here."""
    there = versions_of(address)
    here = own_versions()
    wrong = [
        f"{name} {there.get(name) or 'missing'} there, {version} here"
        for name, version in here.items()
        if not _alike(name, there.get(name), version)
    ]
    if wrong:
        raise ConfigurationError(
            f"the worker pool at {address} runs another environment: {'; '.join(wrong)}; install "
            "the same versions where the pool runs, and start it again"
        )


def own_versions() -> dict[str, str]:
    """The versions of this process."""
    import ferris_beam

    found = {"python": platform.python_version()}
    found |= {name: metadata.version(name) for name in PACKAGES[:-1]}
    return found | {PACKAGES[-1]: ferris_beam.__version__}


def versions_of(address: str) -> dict[str, str | None]:
    """The versions of a worker of the pool; None: a package is missing."""
    _refuse_silence(address)
    control = _Control()
    with _served(control, address) as endpoint, grpc.insecure_channel(address) as channel:
        pool = fn_api_grpc.BeamFnExternalWorkerPoolStub(channel)
        worker = f"check-{uuid.uuid4().hex[:12]}"
        request = fn_api.StartWorkerRequest(
            worker_id=worker, control_endpoint=endpoints_pb2.ApiServiceDescriptor(url=endpoint)
        )
        try:
            return _asked(pool, request, control, address)
        finally:
            with suppress(grpc.RpcError):
                pool.StopWorker(fn_api.StopWorkerRequest(worker_id=worker), timeout=START_SECONDS)


def _refuse_silence(address: str) -> None:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise ConfigurationError(
            f"--environment_config={address} is no HOST:PORT of a worker pool: {_HOW}"
        )
    try:
        socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
    except OSError as error:
        raise ConfigurationError(
            f"no worker pool answers at {address} (--environment_config; {error.strerror or error})"
            f": {_HOW}; --unchecked_pool starts without this check, where only the cluster can "
            "reach it"
        ) from None


def _asked(
    pool: Any, request: fn_api.StartWorkerRequest, control: _Control, address: str
) -> dict[str, str | None]:
    try:
        error = pool.StartWorker(request, timeout=START_SECONDS).error
    except grpc.RpcError as failure:
        raise ConfigurationError(
            f"what answers at {address} is no worker pool of Beam ({failure.code().name}): {_HOW}"
        ) from None
    if error:
        last = error.strip().splitlines()[-1]
        raise ConfigurationError(f"the worker pool at {address} can't start a worker: {last}")
    try:
        said = control.answers.get(timeout=START_SECONDS)
    except queue.Empty:
        raise ConfigurationError(
            f"the worker pool at {address} started a worker that did not connect to "
            f"{request.control_endpoint.url} within {START_SECONDS:.0f} s: either the first "
            "`python` on the pool's PATH is not the one that has apache_beam (its log tells; put "
            "the environment's bin folder first), or it can't reach this machine "
            "(--unchecked_pool starts without this check)"
        ) from None
    found = _FOUND.search(said)
    if found is None:
        last = said.strip().splitlines()[-1] if said.strip() else "it gave no error"
        raise ConfigurationError(
            f"a worker of the pool at {address} can't say which versions it has: {last}; install "
            f"apache-beam {beam.__version__} where the pool runs"
        )
    versions: dict[str, str | None] = json.loads(found[1])
    return versions


def _alike(name: str, there: str | None, here: str) -> bool:
    """Pickled functions need the same minor version of Python, packages must be equal."""
    if there is None:
        return False
    if name == "python":
        return there.split(".")[:2] == here.split(".")[:2]
    return there == here


class _Control(fn_api_grpc.BeamFnControlServicer):
    """Gives a worker one bundle and keeps what it answers."""

    def __init__(self) -> None:
        self.answers: queue.Queue[str] = queue.Queue()

    def Control(self, responses: Any, context: Any) -> Iterator[fn_api.InstructionRequest]:
        bundle = fn_api.ProcessBundleRequest(process_bundle_descriptor_id="check")
        yield fn_api.InstructionRequest(instruction_id="check", process_bundle=bundle)
        response = next(responses, None)
        if response is not None:
            self.answers.put(response.error)

    def GetProcessBundleDescriptor(
        self, request: Any, context: Any
    ) -> fn_api.ProcessBundleDescriptor:
        return _descriptor()


def _descriptor() -> fn_api.ProcessBundleDescriptor:
    """One ParDo, with a function of which nothing but its loading is ever run."""
    pipeline = beam.Pipeline(runner="FnApiRunner")
    _ = pipeline | beam.Impulse() | beam.ParDo(beam.DoFn())
    components = pipeline.to_runner_api().components
    (name,) = (
        name
        for name, transform in components.transforms.items()
        if transform.spec.urn == common_urns.primitives.PAR_DO.urn
    )
    pardo = components.transforms[name]
    payload = beam_runner_api_pb2.ParDoPayload.FromString(pardo.spec.payload)
    payload.do_fn.payload = pickler.dumps(_Report())
    pardo.spec.payload = payload.SerializeToString()
    return fn_api.ProcessBundleDescriptor(
        id="check",
        transforms={name: pardo},
        pcollections=components.pcollections,
        windowing_strategies=components.windowing_strategies,
        coders=components.coders,
        environments=components.environments,
    )


@contextmanager
def _served(control: _Control, pool: str) -> Iterator[str]:
    """An address of this machine at which workers of ``pool`` find ``control``."""
    host = _own_address(pool)
    with ThreadPoolExecutor(4, thread_name_prefix="pool-check") as threads:
        server = grpc.server(threads)
        fn_api_grpc.add_BeamFnControlServicer_to_server(control, server)
        port = server.add_insecure_port(f"{host}:0")
        server.start()
        try:
            yield f"{host}:{port}"
        finally:
            server.stop(0).wait()


def _own_address(pool: str) -> str:
    """The address from which this machine reaches the pool's."""
    host, port = pool.rsplit(":", 1)
    with socket.create_connection((host, int(port)), CONNECT_SECONDS) as probe:
        return str(probe.getsockname()[0])
