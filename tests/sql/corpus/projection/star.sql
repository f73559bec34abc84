SELECT * FROM '${DATA}/products/'
