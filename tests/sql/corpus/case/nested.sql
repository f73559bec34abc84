SELECT order_id, CASE WHEN gift THEN CASE WHEN note IS NULL THEN 'bare' ELSE 'noted' END
                      WHEN gift IS NULL THEN 'unknown' ELSE 'own' END AS kind
FROM '${DATA}/orders/'
