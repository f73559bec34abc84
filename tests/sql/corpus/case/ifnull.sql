SELECT order_id, ifnull(note, '-') AS note FROM '${DATA}/orders/'
