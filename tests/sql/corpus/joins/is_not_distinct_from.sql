SELECT a.order_id, b.status FROM '${DATA}/orders/' a
JOIN (SELECT DISTINCT status FROM '${DATA}/orders/') b ON a.status IS NOT DISTINCT FROM b.status
