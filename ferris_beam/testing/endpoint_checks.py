"""Checks of what sources and sinks have in common: declaration, construction, secrets, failures."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ferris_beam.connector import Reader, Writer
from ferris_beam.errors import BadRecordError, ConfigurationError, FerrisError
from ferris_beam.ledger import Identity
from ferris_beam.options import check
from ferris_beam.options.fields import OptionField, fields_of
from ferris_beam.testing.cases import EndpointCase
from ferris_beam.testing.checks import NotApplicable, demand, described, fail
from ferris_beam.testing.touching import touching_nothing
from ferris_beam.uri import Uri

MADE_UP = "conformance-secret-7f3a91"
NOBODY = Identity("conformance", "run-0", "plan")


def the_declaration_is_complete(case: EndpointCase) -> None:
    """The connector says its summary, its unit of parallelism and its delivery, gives an example
    URI that is right, and describes each option, with an example that is a value of it.

    The command line, the reference pages and the errors of wrong options are made of nothing else:
    what is not declared, a user can't find.
    """
    connector, facts = case.connector, case.facts
    if facts is None:
        fail(f"the connector {connector.name!r} declares no such end")
    said = {
        "name": connector.name,
        "summary": connector.summary,
        "example": connector.example,
        "unit": facts.unit,
        "delivery": facts.delivery,
    }
    empty = [name for name, text in said.items() if not text.strip()]
    demand(not empty, f"the declaration of {connector.name!r} says nothing as {', '.join(empty)}")
    _check_example(case)
    for option in fields_of(case.model).by_name.values():
        if option.name != "connection":
            _check_option(case, option)


def _check_example(case: EndpointCase) -> None:
    connector = case.connector
    model = connector.source_options() if connector.source else connector.sink_options()
    example = Uri.parse(connector.example)
    schemes = ", ".join(connector.schemes)
    demand(
        example.scheme in connector.schemes,
        f"the example {connector.example!r} is no URI of the schemes {schemes}",
    )
    try:
        check(model, example, {})
    except ConfigurationError as error:
        fail(f"the example {connector.example!r} has wrong options: {error}", error)


def _check_option(case: EndpointCase, option: OptionField) -> None:
    where = f"the option {option.name} of {case.model.__name__}"
    demand(option.description.strip(), f"{where} has no description")
    if option.example is None:
        demand(option.default is not None, f"{where} has neither an example nor a default to show")
        return
    text = option.example
    value = [item.strip() for item in text.split(",")] if option.is_list else text
    try:
        fields_of(case.model).partial.model_validate({option.name: value})
    except ValueError as error:
        fail(f"{where} gives the example {text!r}, which it does not take: {error}", error)


def making_it_touches_nothing(case: EndpointCase) -> None:
    """A reader or writer that is constructed, asked for its facts, pickled or shown opens no file
    and no connection.

    Pipelines are built, checked and explained on machines that can't reach the store; and whatever
    is opened there would have to be pickled to the workers.
    """
    resolved = case.resolved()
    make = case.connector.reader if isinstance(case.endpoint({}), Reader) else case.connector.writer
    pickle.dumps(make(*resolved))  # what is imported on first use is imported now
    with touching_nothing("constructing, showing or pickling it"):
        made = make(*resolved)
        pickle.loads(pickle.dumps(made))
        repr(made)
        _ = (made.place, made.needs_end) if isinstance(made, Writer) else (made.bounded,)


def check_failure(case: EndpointCase, use: Callable[[Reader | Writer], object]) -> None:
    """Demands that an endpoint that can't be opened says so by an error of ours, without secrets,
    and can be closed; shared by sources and sinks, which differ in how they are used."""
    if not case.failing:
        raise NotApplicable("needs `failing`, a URI that can't be opened")
    made = case.at(case.failing).endpoint({})
    try:
        use(made)
    except FerrisError as error:
        demand(not isinstance(error, BadRecordError), f"{described(error)}: no row is at fault")
        demand(len(error.message) > 10, f"{described(error)}: it says nothing")
    except Exception as error:
        fail(f"{case.failing} raised a foreign exception, {described(error)}", error)
    else:
        fail(f"{case.failing} could be used, although the case says that it fails")
    made.close()
    made.close()


class Overheard:
    """Everything that was said and shown: what must hold no secret."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, str]] = []

    def add(self, what: str, value: object) -> None:
        shown = value.decode("latin-1") if isinstance(value, bytes) else str(value)
        self.texts.append((what, shown))

    def add_error(self, what: str, error: BaseException | None) -> None:
        while error is not None:
            self.add(f"{what} ({type(error).__name__})", f"{error!s} {error!r}")
            error = error.__cause__ or error.__context__

    def demand_without(self, secrets: dict[str, str]) -> None:
        for what, text in self.texts:
            for option, secret in secrets.items():
                demand(secret not in text, f"the secret option {option} can be read in {what}")


def check_secrets(case: EndpointCase, use: Callable[[Reader | Writer, Overheard], object]) -> None:
    """Uses the endpoint with its true secrets and with made-up ones, and searches all that it
    shows; ``use`` adds what only a reader or a writer shows."""
    names = fields_of(case.model).secrets
    if not names:
        raise NotApplicable("the connector has no secret option")
    overheard = Overheard()
    made_up = {name: f"{MADE_UP}-{name}" for name in names}
    with _logs(overheard):
        for secrets in (case.secrets, made_up):
            try:
                made = case.endpoint(secrets)
                _overhear(made, overheard)
                use(made, overheard)
                _overhear(made, overheard)
            except Exception as error:
                overheard.add_error("an error", error)
        with suppress(NotApplicable):
            _overhear_failure(case, made_up, overheard)
    overheard.demand_without({**made_up, **{f"{n} (true)": s for n, s in case.secrets.items()}})


def _overhear(made: Reader | Writer, overheard: Overheard) -> None:
    overheard.add("its repr", f"{made!r} {made}")
    overheard.add("its pickle", pickle.dumps(made))
    if isinstance(made, Writer):
        overheard.add("its place", f"{made.place} {made.needs_end}")


def _overhear_failure(case: EndpointCase, secrets: dict[str, str], overheard: Overheard) -> None:
    """What an endpoint says that can't be opened."""
    if not case.failing:
        raise NotApplicable
    made = case.at(case.failing).endpoint(secrets)
    try:
        made.schema() if isinstance(made, Reader) else made.open(NOBODY)
    except Exception as error:
        overheard.add_error(f"an error of {case.failing}", error)
    finally:
        with suppress(Exception):
            made.close()


@contextmanager
def _logs(overheard: Overheard) -> Iterator[None]:
    """Within, records of all loggers that reach the root are overheard, also debug ones."""
    handler = logging.Handler()
    handler.emit = lambda record: overheard.add("the log", record.getMessage())  # type: ignore[method-assign]
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
