-- duckdb: SELECT * EXCLUDE (address, tags, profile) FROM customers
SELECT * EXCEPT (address, tags, profile) FROM '${DATA}/customers/'
