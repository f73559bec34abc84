SELECT DISTINCT quantity % 4 AS rest, upper(status) AS word FROM '${DATA}/orders/'
