WITH orders AS (SELECT 1 AS one) SELECT o.one, d.id FROM orders o CROSS JOIN '${DATA}/departments/' d
