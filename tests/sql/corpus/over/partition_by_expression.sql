SELECT order_id, count(*) OVER (PARTITION BY CAST(ordered_at AS DATE), quantity > 4) AS n FROM '${DATA}/orders/'
