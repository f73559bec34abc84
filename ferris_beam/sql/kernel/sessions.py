"""DataFusion's sessions: one for each thread and limit, and one of the process for planning."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache

import pyarrow as pa
from datafusion import RuntimeEnvBuilder, SessionConfig, SessionContext

from ferris_beam.sql import functions
from ferris_beam.sql.functions import UserFunction
from ferris_beam.sql.kernel.checked import checked_functions
from ferris_beam.sql.kernel.seeding import Seed, seeded_functions

_BATCH_ROWS = 1 << 16
_SETTINGS = {
    "datafusion.execution.time_zone": "UTC",
    "datafusion.sql_parser.dialect": "duckdb",
    "datafusion.sql_parser.parse_float_as_decimal": "true",
    "datafusion.sql_parser.map_string_types_to_utf8view": "false",
    "datafusion.sql_parser.recursion_limit": "500",
    "datafusion.optimizer.enable_round_robin_repartition": "false",
}


@dataclass(frozen=True)
class Limits:
    """What a kernel may use. ``memory`` in bytes (None: all there is) bounds what sorts, joins and
    aggregates hold; beyond it they spill into ``spill_folder`` (empty: the system's), or fail."""

    memory: int | None = None
    spill_folder: str = ""


@dataclass
class Session:
    """A DataFusion context that one thread uses at a time."""

    context: SessionContext
    seed: Seed = field(default_factory=Seed)
    lock: threading.RLock = field(default_factory=threading.RLock)
    learned: set[str] = field(default_factory=set)

    def learn(self, users: Iterable[UserFunction]) -> None:
        """Makes functions of the user's own known to the context, each once."""
        for user in users:
            if user.engine not in self.learned:
                functions.register_users(self.context, [user])
                self.learned.add(user.engine)


def open_session(limits: Limits = Limits()) -> Session:
    config = SessionConfig(dict(_SETTINGS))
    config = config.with_target_partitions(1).with_batch_size(_BATCH_ROWS)
    context = SessionContext(config, _runtime(limits))
    # Filters that meet would be evaluated in another order: ours protect what stands above them.
    context.remove_optimizer_rule("push_down_filter")
    for function in checked_functions():
        context.register_udf(function)
    functions.register_all(context)
    session = Session(context)
    for function in seeded_functions(session.seed):
        context.register_udf(function)
    return session


def _runtime(limits: Limits) -> RuntimeEnvBuilder:
    runtime = RuntimeEnvBuilder()
    if limits.memory is None:
        return runtime
    runtime = runtime.with_fair_spill_pool(limits.memory)
    if limits.spill_folder:
        return runtime.with_disk_manager_specified(limits.spill_folder)
    return runtime.with_disk_manager_os()


_of_thread = threading.local()


def session_of_thread(limits: Limits) -> Session:
    """The calling thread's session with these limits."""
    sessions: dict[Limits, Session] | None = getattr(_of_thread, "sessions", None)
    if sessions is None:
        sessions = _of_thread.sessions = {}
    if limits not in sessions:
        sessions[limits] = open_session(limits)
    return sessions[limits]


@cache
def _planning() -> Session:
    return open_session()


def planned_schema(sql: str, tables: Mapping[str, pa.Schema], fully: bool = False) -> pa.Schema:
    """The columns that ``sql`` puts out; raises DataFusion's own exception.

    ``fully``: plans to the end, which takes longer, finds more that is wrong, and gives the types
    that expressions have after the engine has brought their parts to common ones.
    """
    return _planned_schema(sql, tuple(tables.items()), fully)


@lru_cache(maxsize=4096)
def _planned_schema(sql: str, tables: tuple[tuple[str, pa.Schema], ...], fully: bool) -> pa.Schema:
    session = _planning()
    with session.lock:
        session.learn(functions.users())
        try:
            for name, schema in tables:
                session.context.register_record_batches(name, [[empty(schema)]])
            frame = session.context.sql(sql)
            if not fully:
                return frame.schema()
            frame.execution_plan()
            optimized = frame.optimized_logical_plan()
            return session.context.create_dataframe_from_logical_plan(optimized).schema()
        finally:
            for name, _ in tables:
                session.context.deregister_table(name)


def empty(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)
