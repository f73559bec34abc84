SELECT a.event_id, b.event_id AS later FROM '${DATA}/events/' a JOIN '${DATA}/events/' b
  ON a.user_id = b.user_id AND b.seen_at BETWEEN a.seen_at AND a.seen_at + INTERVAL '5' MINUTE AND a.kind = 'view' AND b.kind = 'buy'
