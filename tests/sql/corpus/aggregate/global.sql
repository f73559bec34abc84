SELECT count(*) AS orders, sum(amount) AS revenue, min(amount) AS least, max(amount) AS most
FROM '${DATA}/orders/'
