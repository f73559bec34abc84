"""What would have to be taken back is refused; what has an end is final."""

from __future__ import annotations

import pytest

from ferris_beam.errors import SqlError
from ferris_beam.sql.plan import Catalog, Program, Source, plan_program
from ferris_beam.sql.plan.changelog import changelog
from ferris_beam.sql.syntax import parse
from ferris_beam.sql.text import SqlText
from ferris_beam.transforms.endpoint import Endpoint
from tests.sql.plan.planning import CUSTOMERS, ORDERS

ENDLESS = "'memory://endless'"
BOUNDED = "'memory://bounded'"


def planned(text: str) -> Program:
    def discover(endpoint: Endpoint) -> Source:
        endless = "endless" in str(endpoint.uri)
        return Source(endpoint, ORDERS if endless else CUSTOMERS, bounded=not endless)

    return plan_program(parse(SqlText(text)), SqlText(text), Catalog(discover=discover))


@pytest.mark.parametrize(
    ("text", "kind", "key"),
    [
        (f"SELECT id FROM {ENDLESS} WHERE id > 1", "append", ()),
        (f"SELECT DISTINCT status FROM {ENDLESS}", "append", ()),
        (f"SELECT count(*) AS n FROM {ENDLESS} GROUP BY TUMBLE(at, 5m)", "append", ()),
        (f"SELECT e.id FROM {ENDLESS} e LEFT JOIN {BOUNDED} b USING (id)", "append", ()),
        (f"SELECT status AS s, count(*) AS n FROM {ENDLESS} GROUP BY status", "upsert", ("s",)),
        (
            f"SELECT window_start AS s, window_end AS e, count(*) AS n FROM {ENDLESS} "
            "GROUP BY TUMBLE(at, 5m) EMIT CHANGES",
            "upsert",
            ("s", "e"),
        ),
        (f"SELECT name, count(*) AS n FROM {BOUNDED} GROUP BY name EMIT CHANGES", "append", ()),
        (f"SELECT name FROM {BOUNDED} ORDER BY name LIMIT 3", "append", ()),
    ],
)
def test_kind(text: str, kind: str, key: tuple[str, ...]) -> None:
    (output,) = planned(text).outputs
    found = changelog(output.node, output.emit)
    assert (found.kind, found.key) == (kind, key)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"SELECT id FROM {ENDLESS} ORDER BY id LIMIT 3", "rows that come later"),
        (f"SELECT sum(id) OVER () AS s FROM {ENDLESS}", "rows that come later"),
        (f"SELECT b.id FROM {BOUNDED} b LEFT JOIN {ENDLESS} e USING (id)", "left join"),
        (f"SELECT count(*) AS n FROM {ENDLESS} GROUP BY status", "its key is not selected"),
        (
            f"SELECT max(n) AS m FROM (SELECT status, count(*) AS n FROM {ENDLESS} "
            "GROUP BY status) q",
            "an aggregate of results that are revised",
        ),
        (
            f"SELECT status, count(*) AS n FROM {ENDLESS} GROUP BY status HAVING count(*) > 1",
            "a condition on results",
        ),
    ],
)
def test_refused(text: str, why: str) -> None:
    with pytest.raises(SqlError, match="take rows back") as error:
        planned(text)
    assert why in error.value.message


def test_a_stream_that_never_ends_is_known_as_such_where_it_is_read() -> None:
    text = f"CREATE STREAM s AS SELECT id FROM {ENDLESS}; SELECT id FROM s ORDER BY id"
    with pytest.raises(SqlError, match="take rows back"):
        planned(text)
