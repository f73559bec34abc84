SELECT range(1, 5) AS numbers, range(0, 10, 3) AS thirds
