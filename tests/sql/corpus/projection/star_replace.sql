SELECT * REPLACE (price * 2 AS price, upper(name) AS name) FROM '${DATA}/products/'
