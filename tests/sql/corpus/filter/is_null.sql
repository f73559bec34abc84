SELECT order_id FROM '${DATA}/orders/' WHERE customer_id IS NULL OR note IS NULL AND gift IS NOT NULL
