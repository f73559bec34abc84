SELECT gift, min(status) AS first, max(status) AS last FROM '${DATA}/orders/' GROUP BY gift
