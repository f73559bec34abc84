SELECT order_id, CASE WHEN shipped_on IS NULL THEN CAST(ordered_at AS DATE) ELSE shipped_on END AS day
FROM '${DATA}/orders/'
