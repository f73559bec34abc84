SELECT s.a + 1 AS a, s.b AS b FROM (SELECT {'a': order_id, 'b': status} AS s FROM '${DATA}/orders/') t
