SELECT order_id::VARCHAR AS word, amount::DOUBLE AS number, '12'::INT + 1 AS thirteen
FROM '${DATA}/orders/'
