SELECT a.event_id, b.event_id AS other FROM '${DATA}/events/' a JOIN '${DATA}/events/' b
  ON a.user_id = b.user_id AND a.kind = b.kind WHERE a.event_id < 50 AND b.event_id < 50
