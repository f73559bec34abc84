SELECT customer_id, tags, tags[1] AS first FROM '${DATA}/customers/'
