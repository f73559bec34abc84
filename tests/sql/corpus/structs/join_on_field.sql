SELECT a.customer_id, b.customer_id AS neighbour
FROM '${DATA}/customers/' a JOIN '${DATA}/customers/' b ON a.address.city = b.address.city
WHERE a.customer_id < b.customer_id AND b.customer_id < 20
