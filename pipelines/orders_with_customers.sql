-- Orders from files, each with its customer from PostgreSQL: only the customers that a batch of
-- orders needs are asked for, and remembered for a minute.
CREATE STREAM orders_with_customers AS
SELECT o.*, c.name AS customer, c.country
FROM '${orders}' o
LEFT JOIN '${customers}&lookup=true' c ON o.customer_id = c.id
INTO '${sink}';
