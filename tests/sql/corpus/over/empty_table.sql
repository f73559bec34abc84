SELECT id, row_number() OVER (PARTITION BY name ORDER BY amount) AS place FROM '${DATA}/empty/'
