SELECT ORDER_ID, Amount, "quantity" FROM '${DATA}/orders/'
