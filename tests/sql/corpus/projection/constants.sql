SELECT 1 AS one, 'text' AS word, 1.50 AS exact, 1e3 AS precise, true AS yes, NULL AS nothing,
       DATE '2024-02-29' AS day, TIMESTAMP '1969-12-31 23:59:59.999999' AS moment
