SELECT order_id, count(*) FILTER (WHERE gift) OVER (PARTITION BY status) AS gifts FROM '${DATA}/orders/'
