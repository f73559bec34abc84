SELECT id, items[1].sku AS sku, items[1].quantity AS quantity FROM '${DATA}/nested/'
