-- duckdb: SELECT e.id, e.name, boss, department, salary, hired, d.id AS id_1, d.name AS name_1, budget
--   FROM employees e JOIN departments d ON e.department = d.id
SELECT * FROM '${DATA}/employees/' e JOIN '${DATA}/departments/' d ON e.department = d.id
