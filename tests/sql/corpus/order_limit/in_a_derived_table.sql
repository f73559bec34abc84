SELECT sum(amount) AS top FROM (SELECT amount FROM '${DATA}/orders/' ORDER BY amount DESC, order_id LIMIT 10) t
