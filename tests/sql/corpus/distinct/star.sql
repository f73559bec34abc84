SELECT DISTINCT * FROM (SELECT kind, user_id FROM '${DATA}/events/') t
