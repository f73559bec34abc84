SELECT status, order_id, amount FROM (
  SELECT *, row_number() OVER (PARTITION BY status ORDER BY amount DESC, order_id) AS place FROM '${DATA}/orders/') t
WHERE place <= 3
