SELECT a.event_id, b.event_id AS other FROM '${DATA}/events/' a JOIN '${DATA}/events/' b
  ON a.seen_at = b.seen_at AND a.event_id <> b.event_id
