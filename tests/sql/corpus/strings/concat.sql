SELECT order_id, concat(status, '/', quantity) AS c, concat_ws(', ', status, note, quantity) AS w
FROM '${DATA}/orders/'
