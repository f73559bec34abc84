SELECT sum(CASE WHEN status = 'paid' THEN amount ELSE 0 END) AS paid,
       count(CASE WHEN gift THEN 1 END) AS gifts
FROM '${DATA}/orders/' WHERE CASE WHEN quantity > 5 THEN gift ELSE true END
