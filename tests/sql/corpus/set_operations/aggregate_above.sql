SELECT kind, count(*) AS n FROM (SELECT kind FROM '${DATA}/events/' UNION ALL SELECT status FROM '${DATA}/orders/') t GROUP BY kind
