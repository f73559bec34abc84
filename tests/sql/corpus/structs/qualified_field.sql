SELECT c.customer_id, c.address.city, c.address.geo.lat AS latitude FROM '${DATA}/customers/' c
