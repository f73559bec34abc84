SELECT n.id, t.item.sku AS sku, t.item.quantity AS quantity
FROM '${DATA}/nested/' n CROSS JOIN UNNEST(n.items) AS t (item)
