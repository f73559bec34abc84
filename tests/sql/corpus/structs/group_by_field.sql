SELECT address.city AS city, count(*) AS customers, max(address.geo.lat) AS north
FROM '${DATA}/customers/' GROUP BY address.city
