SELECT DISTINCT quantity, gift FROM '${DATA}/orders/'
