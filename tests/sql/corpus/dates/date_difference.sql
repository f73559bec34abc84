SELECT order_id, shipped_on - CAST(ordered_at AS DATE) AS days FROM '${DATA}/orders/'
