SELECT mode(kind) AS usual FROM (SELECT kind FROM '${DATA}/events/' UNION ALL SELECT 'buy' FROM '${DATA}/events/') t
