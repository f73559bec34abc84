SELECT kind, percentile_cont(0.25) WITHIN GROUP (ORDER BY value) AS q FROM '${DATA}/events/' GROUP BY kind
