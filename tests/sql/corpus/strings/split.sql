SELECT id, string_split(text, ',') AS parts FROM '${DATA}/texts/' WHERE text <> ''
