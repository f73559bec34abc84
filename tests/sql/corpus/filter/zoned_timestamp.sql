SELECT event_id FROM '${DATA}/events/' WHERE seen_utc >= TIMESTAMPTZ '1970-01-01 02:00:00+01:00'
