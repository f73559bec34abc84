SELECT customer_id FROM '${DATA}/customers/' c WHERE c.address.city = '京都' AND c.address.geo.lat > 0
