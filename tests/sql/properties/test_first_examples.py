"""The examples with which the project was announced: they parse and plan, word for word, up to the
discovery of their sources; the error then names the connector that is missing."""

from __future__ import annotations

import pytest

from ferris_beam.errors import SqlError
from ferris_beam.sql.plan import Catalog, plan_program
from ferris_beam.sql.statements import CreateStream
from ferris_beam.sql.syntax import parse
from ferris_beam.sql.text import SqlText

EXAMPLES = {
    "realtime_analytics": (
        "kafka",
        """\
-- Real-time analytics pipeline
CREATE STREAM realtime_analytics AS
SELECT 
    window_start,
    COUNT(*) as events,
    AVG(latency) as avg_latency
FROM 'kafka://localhost:9092/events'
GROUP BY TUMBLE(event_time, INTERVAL '1' MINUTE)
INTO 'clickhouse://localhost:8123/analytics';
""",  # noqa: W291
    ),
    "enriched_orders": (
        "kafka",
        """\
-- Cross-source enrichment
CREATE STREAM enriched_orders AS  
SELECT 
    o.*,
    c.customer_name,
    p.product_details
FROM 'kafka://localhost:9092/orders' o
JOIN 'postgresql://localhost/customers' c ON o.customer_id = c.id
JOIN 's3://bucket/products/*.parquet' p ON o.product_id = p.id;
""",  # noqa: W291
    ),
    "cdc_to_lake": (
        "postgresql",
        """\
-- CDC to data lake
CREATE STREAM cdc_to_lake AS
SELECT * FROM 'postgresql://localhost/shop?mode=cdc'
INTO 's3://data-lake/events/year=${year}/month=${month}/'
WITH (
    format = 'parquet',
    partition_by = ['year', 'month'],
    compression = 'snappy'
);
""",
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_parses(name: str) -> None:
    (statement,) = parse(SqlText(EXAMPLES[name][1]))
    assert isinstance(statement, CreateStream)
    assert statement.name == name


def test_all_three_are_one_text() -> None:
    statements = parse(SqlText("\n".join(text for _, text in EXAMPLES.values())))
    assert [each.name for each in statements if isinstance(each, CreateStream)] == list(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_planning_names_the_missing_connector(name: str) -> None:
    scheme, example = EXAMPLES[name]
    text = SqlText(example)
    with pytest.raises(SqlError) as caught:
        plan_program(parse(text), text, Catalog({}))
    assert f"no connector for the scheme '{scheme}'" in str(caught.value)
    assert "^^^" in str(caught.value)
