SELECT item.sku AS sku, sum(item.quantity) AS quantity, count(*) AS lines
FROM (SELECT unnest(items) AS item FROM '${DATA}/nested/') t GROUP BY item.sku
