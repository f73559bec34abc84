SELECT id, moment + INTERVAL '1' MONTH AS next, moment - INTERVAL '1' YEAR AS before
FROM '${DATA}/days/' WHERE moment < TIMESTAMP '2200-01-01 00:00:00'
