SELECT status, min(shipped_on) AS first, max(ordered_at) AS last FROM '${DATA}/orders/' GROUP BY status
