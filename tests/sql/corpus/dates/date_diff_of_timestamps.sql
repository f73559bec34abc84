SELECT event_id, date_diff('hour', TIMESTAMP '1970-01-01 00:30:00', seen_at) AS hours,
       date_diff('second', TIMESTAMP '1970-01-01 00:30:00', seen_at) AS seconds
FROM '${DATA}/events/'
