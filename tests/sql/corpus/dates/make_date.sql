SELECT make_date(2024, 2, 29) AS leap, make_date(1969, 12, 31) AS before
