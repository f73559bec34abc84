SELECT order_id, ordered_at + quantity * INTERVAL '1' HOUR AS later FROM '${DATA}/orders/'
