"""The base class of all options: one frozen model per connector and direction.

::

    class OrdersSource(Options):
        \"\"\"Options of orders:// sources.\"\"\"

        rules = (exclusive("table", "query"),)

        table: str | None = option(None, description="The table to read.", example="orders")
        query: str | None = option(None, description="Read this query.", example="SELECT 1")
        batch_rows: int = option(65_536, description="Rows of a batch.", example=8192, ge=1)
        idle: Duration = option("60s", description="When a partition counts as idle.")
        password: Secret | None = option(
            None, description="The password.", environment=["PGPASSWORD"], uri_part="password"
        )
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from ferris_beam.options.rules import Rule
from ferris_beam.options.secrets import Secret
from ferris_beam.redaction import redact, sounds_secret

__all__ = ["METADATA", "Options", "option"]

_REQUIRED: Final = ...
METADATA: Final = "ferris_beam"


def option(
    default: Any = _REQUIRED,
    *,
    description: str,
    example: Any = None,
    name: str | None = None,
    environment: Sequence[str] = (),
    uri_part: Literal["user", "password"] | None = None,
    **constraints: Any,
) -> Any:
    """A field of an `Options` model.

    Without a default it is required. `name` is the option's name where Python's can't be the same
    (`schema`, `format`); `environment` the customary variables besides FERRIS_<SCHEME>_<OPTION>;
    `uri_part` says that `user:password@` in the URI fills it. Constraints are pydantic's: ge, gt,
    le, lt, min_length, max_length, pattern.
    """
    return Field(
        default,
        description=description,
        examples=None if example is None else [example],
        alias=name,
        json_schema_extra={METADATA: {"environment": list(environment), "uri_part": uri_part}},
        **constraints,
    )


class Options(BaseModel):
    """Validated settings of one endpoint.

    A model may say more about itself:

    - `rules` about several options. They replace pydantic's model validators, because they are also
      checked while some options are still to come from the environment.
    - `tuning`: the options that change speed, not results: with others a restart goes on.
    - `uri_variables` such as DATABASE_URL, where a URI without hosts finds its hosts, user,
      password and path. They must be of the same scheme, or of one in `uri_schemes`; so must the
      `uri` of a connection.
    - `host_variables` such as KAFKA_BROKERS, where a URI without hosts finds these.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        hide_input_in_errors=True,
        coerce_numbers_to_str=True,
        allow_inf_nan=False,
        validate_default=True,
        arbitrary_types_allowed=True,
        protected_namespaces=(),
    )

    rules: ClassVar[tuple[Rule, ...]] = ()
    uri_variables: ClassVar[tuple[str, ...]] = ()
    uri_schemes: ClassVar[tuple[str, ...]] = ()
    host_variables: ClassVar[tuple[str, ...]] = ()
    tuning: ClassVar[frozenset[str]] = frozenset()

    connection: str | None = option(
        None,
        description="A named connection of ferris.toml or ferris.yaml that gives what isn't said.",
        example="shop",
    )

    @property
    def local_secrets(self) -> tuple[str, ...]:
        """Names of the options that only this process can resolve."""
        values = ((name, getattr(self, name)) for name in type(self).model_fields)
        return tuple(name for name, value in values if isinstance(value, Secret) and value.is_local)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            if isinstance(value, str):
                value = "***" if name and sounds_secret(name) else redact(value)
            yield name, value

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        for name, field in cls.model_fields.items():
            extra = field.json_schema_extra
            if not isinstance(extra, dict) or METADATA not in extra or not field.description:
                raise TypeError(f"{cls.__name__}.{name} must be declared by option(…)")
        if cls.__pydantic_decorators__.model_validators:
            raise TypeError(f"{cls.__name__}: put what concerns several options into `rules`")
