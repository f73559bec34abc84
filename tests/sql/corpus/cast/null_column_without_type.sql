SELECT id, CAST(untyped AS INTEGER) AS number FROM '${DATA}/hollow/'
