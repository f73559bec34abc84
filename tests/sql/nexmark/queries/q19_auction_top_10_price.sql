SELECT * FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC, dateTime) AS rank_number
  FROM '${NEXMARK}/bid/') t
WHERE rank_number <= 10
