SELECT id, text < 'a' AS before_a, text >= 'Z' AS from_z, greatest(text, 'm') AS most
FROM '${DATA}/texts/' WHERE text IS NOT NULL
