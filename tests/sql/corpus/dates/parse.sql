-- duckdb: SELECT strptime('29.02.2024 07:05', '%d.%m.%Y %H:%M') AS moment
SELECT date_parse('29.02.2024 07:05', '%d.%m.%Y %H:%M') AS moment
