SELECT order_id, count(*) OVER (PARTITION BY customer_id) AS n FROM '${DATA}/orders/'
