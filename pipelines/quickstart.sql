-- What the quickstart runs. Alone:
--   python -m pipelines.sql --file pipelines/quickstart.sql --set folder=file:ferris-quickstart \
--     --dead-letters 'file:ferris-quickstart/rejected/?format=jsonl&if_exists=overwrite'

-- Every order with its customer's segment: Parquet, a folder for each country.
CREATE STREAM orders AS
SELECT o.*, c.segment
FROM '${folder}/input/' o
JOIN '${folder}/customers.jsonl' c ON o.customer_id = c.id
INTO '${folder}/orders/'
WITH (format = 'parquet', partition_by = ['country'], if_exists = 'overwrite');

-- What each segment was worth, week by week.
CREATE STREAM revenue AS
SELECT window_start AS week, segment, COUNT(*) AS orders, ROUND(SUM(amount), 2) AS revenue
FROM orders
WHERE status <> 'cancelled'
GROUP BY TUMBLE(ordered_at, INTERVAL '7' DAY), segment
INTO '${folder}/revenue/'
WITH (format = 'jsonl', if_exists = 'overwrite');
