SELECT status, gift FROM '${DATA}/orders/' UNION SELECT status, gift FROM '${DATA}/orders/' WHERE status IS NULL
