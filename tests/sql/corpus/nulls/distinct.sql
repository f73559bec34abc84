SELECT DISTINCT gift, status FROM '${DATA}/orders/'
