SELECT DISTINCT status FROM '${DATA}/orders/'
