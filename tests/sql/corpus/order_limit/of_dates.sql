-- ordered
SELECT id, day FROM '${DATA}/days/' ORDER BY day DESC NULLS LAST, id LIMIT 12
