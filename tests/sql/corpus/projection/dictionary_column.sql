SELECT status, kind
FROM (SELECT status FROM '${DATA}/orders/' WHERE order_id < 20) o
CROSS JOIN (SELECT kind FROM '${DATA}/events/' WHERE event_id < 4) e
