SELECT country, string_agg(name, ', ' ORDER BY customer_id) AS names FROM '${DATA}/customers/' GROUP BY country
