"""Functions that SQL can call: those of DataFusion, ours, and the user's own."""

from ferris_beam.sql.functions.decorator import function
from ferris_beam.sql.functions.definition import Example, Function
from ferris_beam.sql.functions.engine import register_all, register_users
from ferris_beam.sql.functions.parsing import parser_functions
from ferris_beam.sql.functions.registry import (
    find,
    functions,
    is_aggregate,
    is_volatile,
    near,
    of,
    users,
    users_in,
    using,
)
from ferris_beam.sql.functions.rewrite import by_type, refuse_unknown_around, rewrite
from ferris_beam.sql.functions.typed import arguments
from ferris_beam.sql.functions.user import UserAggregate, UserFunction

__all__ = [
    "Example",
    "Function",
    "UserAggregate",
    "UserFunction",
    "arguments",
    "by_type",
    "find",
    "function",
    "functions",
    "is_aggregate",
    "is_volatile",
    "near",
    "of",
    "parser_functions",
    "refuse_unknown_around",
    "register_all",
    "register_users",
    "rewrite",
    "users",
    "users_in",
    "using",
]
