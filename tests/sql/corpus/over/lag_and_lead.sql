SELECT order_id, lag(amount) OVER w AS before, lead(amount, 2) OVER w AS after, lag(quantity, 1, 0) OVER w AS q
FROM '${DATA}/orders/' WINDOW w AS (PARTITION BY customer_id ORDER BY ordered_at, order_id)
