"""The text of EXPLAIN: a tree for each output, then the transforms and the guarantee."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ferris_beam.sql.explain.lines import lines_of
from ferris_beam.sql.explain.measures import Measure, Measures
from ferris_beam.sql.explain.words import rows, seconds, size
from ferris_beam.sql.nodes import Given, Node, walk
from ferris_beam.sql.rules.estimates import estimate
from ferris_beam.uri import Uri

if TYPE_CHECKING:
    from ferris_beam.sql.plan.program import Output, Program


def explain_program(
    program: Program,
    plans: Mapping[str, Node],
    *,
    transforms: Mapping[str, str] | None = None,
    delivery: str = "",
    measures: Measures | None = None,
) -> str:
    """The ``plans`` that are run of a program's outputs and of the streams that they read.

    ``transforms`` tells what each of the pipeline's transforms does, by its label, ``delivery`` the
    guarantee and why; ``measures`` what a run counted.
    """
    headings = {output.name: _heading(output) for output in program.outputs}
    for name in _streams_read([plans[name] for name in headings], plans):
        headings.setdefault(name, f"{name} (a stream, computed once)")
    parts = [
        "\n".join([heading, *_tree(plans[name], measures or Measures({}), "", "")])
        for name, heading in headings.items()
    ]
    if transforms:
        width = max(len(label) for label in transforms)
        lines = [f"  {label:{width}}  {what}".rstrip() for label, what in transforms.items()]
        parts.append("\n".join(["Beam transforms", *lines]))
    if delivery:
        parts.append(f"Delivery\n  {delivery}")
    return "\n\n".join(parts)


def _streams_read(nodes: Sequence[Node], plans: Mapping[str, Node]) -> Iterator[str]:
    """The names of all streams behind the nodes, each once."""
    seen: set[str] = set()
    waiting = list(nodes)
    while waiting:
        for node in walk(waiting.pop(0)):
            if isinstance(node, Given) and node.stream and node.name not in seen:
                seen.add(node.name)
                waiting.append(plans[node.name])
                yield node.name


def _heading(output: Output) -> str:
    """The name, and where the result goes."""
    where = f" → {_sink(output)}" if output.sink else ""
    emit = f", emitting {output.emit}" if output.emit else ""
    return f"{output.name or 'query'}{where}{emit}"


def _sink(output: Output) -> str:
    assert output.sink is not None
    return str(Uri.of(output.sink.uri).without_options())


def _tree(node: Node, measures: Measures, first: str, others: str) -> Iterator[str]:
    """The lines of ``node`` and of all below; ``first`` and ``others`` stand in front of them."""
    headline, *facts = lines_of(node)
    numbers = _numbers(node, measures.of(node))
    yield f"{first}{headline}{f'   {numbers}' if numbers else ''}"
    stem = "│  " if node.inputs else "   "
    for fact in facts:
        yield f"{others}{stem}{fact}"
    for place, below in enumerate(node.inputs):
        is_last = place == len(node.inputs) - 1
        branch, rest = ("└─ ", "   ") if is_last else ("├─ ", "│  ")
        yield from _tree(below, measures, others + branch, others + rest)


def _numbers(node: Node, measure: Measure | None) -> str:
    """What was counted, else what is expected."""
    if measure is not None:
        parts = [rows(measure.rows_out), size(measure.bytes_out), seconds(measure.seconds)]
        return f"[{', '.join(parts)}; {rows(measure.rows_in)} in]"
    expected = estimate(node).rows
    return "" if expected is None else f"[≈ {rows(expected)}]"


def kinds(nodes: Sequence[Node]) -> str:
    """What a transform computes: its nodes, the last one first."""
    return " ← ".join(type(node).__name__ for node in nodes)
