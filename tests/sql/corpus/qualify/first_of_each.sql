SELECT customer_id, order_id, amount FROM '${DATA}/orders/'
QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY ordered_at, order_id) = 1
