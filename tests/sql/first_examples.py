"""The examples with which the project was announced, word for word, by stream; each with the first
of its connectors that does not exist yet."""

from __future__ import annotations

FIRST_EXAMPLES = {
    "realtime_analytics": (
        "clickhouse",
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
        "s3",
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
        "s3",
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
