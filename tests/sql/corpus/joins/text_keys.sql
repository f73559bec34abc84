SELECT c.customer_id, x.label FROM '${DATA}/customers/' c
JOIN (VALUES ('AT', 'Austria'), ('BR', 'Brasil'), ('XX', 'none')) AS x (code, label) ON c.country = x.code
