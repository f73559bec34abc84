SELECT id, TRY_CAST(whole AS TINYINT) AS tiny, TRY_CAST(big AS INTEGER) AS whole
FROM '${DATA}/extremes/'
