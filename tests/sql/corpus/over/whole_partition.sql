SELECT order_id, sum(amount) OVER (PARTITION BY status) AS total, count(*) OVER () AS every FROM '${DATA}/orders/'
