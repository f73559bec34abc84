WITH t AS (SELECT quantity AS q FROM '${DATA}/orders/' WHERE gift) SELECT q FROM t UNION ALL SELECT q * 10 FROM t
