"""What the machinery knows of each option of a model, taken from its declaration once."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Annotated, Any

from pydantic import create_model
from pydantic.fields import FieldInfo

from ferris_beam.options.options import METADATA, Options
from ferris_beam.options.secrets import Secret
from ferris_beam.options.words import alternatives, in_words, is_list, show

__all__ = ["Fields", "OptionField", "fields_of"]


@dataclass(frozen=True)
class OptionField:
    """One option by its name in URIs."""

    name: str
    info: FieldInfo

    @cached_property
    def annotation(self) -> Any:
        """The whole type: pydantic keeps the outermost metadata apart."""
        metadata = self.info.metadata
        return Annotated[(self.info.annotation, *metadata)] if metadata else self.info.annotation

    @property
    def description(self) -> str:
        return self.info.description or ""

    @property
    def example(self) -> str | None:
        """An example as it is written in a URI."""
        return show(self.annotation, self.info.examples[0]) if self.info.examples else None

    @property
    def default(self) -> str | None:
        """The default as it is written in a URI; None if there is none."""
        value = None if self.is_required else self.declared_default
        return None if value is None else show(self.annotation, value)

    @property
    def declared_default(self) -> Any:
        return self.info.get_default(call_default_factory=True, validated_data={})

    @property
    def is_required(self) -> bool:
        return self.info.is_required()

    @cached_property
    def is_list(self) -> bool:
        return any(is_list(member) for member in alternatives(self.annotation))

    @cached_property
    def is_secret(self) -> bool:
        return Secret in alternatives(self.annotation) or self.info.annotation is Secret

    @cached_property
    def allowed(self) -> str:
        """Its type and limits in words."""
        return in_words(self.annotation)

    @property
    def uri_part(self) -> str | None:
        """`user` or `password` if that part of a URI fills it."""
        part: str | None = self._metadata["uri_part"]
        return part

    def variables(self, scheme: str) -> tuple[str, ...]:
        """The environment variables that may give it; the first one that is set does."""
        own = f"ferris_{scheme}_{self.name}".upper()
        own = "".join(character if character.isalnum() else "_" for character in own)
        return (own, *self._metadata["environment"])

    @property
    def _metadata(self) -> Mapping[str, Any]:
        assert isinstance(self.info.json_schema_extra, dict)
        return self.info.json_schema_extra[METADATA]  # type: ignore[return-value]


@dataclass(frozen=True)
class Fields:
    """The options of a model by name, and those that need treatment."""

    model: type[Options]
    by_name: Mapping[str, OptionField]

    @cached_property
    def secrets(self) -> frozenset[str]:
        return frozenset(name for name, field in self.by_name.items() if field.is_secret)

    @cached_property
    def lists(self) -> frozenset[str]:
        return frozenset(name for name, field in self.by_name.items() if field.is_list)

    @cached_property
    def user(self) -> str | None:
        """The option that `user@` in a URI gives."""
        return self._of_uri_part("user")

    @cached_property
    def password(self) -> str | None:
        """The option that `:password@` in a URI gives."""
        return self._of_uri_part("password")

    @cached_property
    def partial(self) -> type[Options]:
        """The model with nothing required: it judges options while others are still to come."""
        optional: dict[str, Any] = {}
        for name, info in self.model.model_fields.items():
            without = copy(info)
            without.default, without.default_factory = None, None
            without.validate_default = False
            optional[name] = (info.annotation, without)
        return create_model(f"Partial{self.model.__name__}", __base__=self.model, **optional)

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """The defaults as they are declared."""
        fields = self.by_name.items()
        return {name: field.declared_default for name, field in fields if not field.is_required}

    def _of_uri_part(self, part: str) -> str | None:
        return next((n for n, field in self.by_name.items() if field.uri_part == part), None)


@cache
def fields_of(model: type[Options]) -> Fields:
    named = model.model_fields.items()
    return Fields(
        model, {info.alias or name: OptionField(info.alias or name, info) for name, info in named}
    )
