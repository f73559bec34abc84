SELECT order_id, MAP {'quantity': quantity, 'product': product_id} AS m FROM '${DATA}/orders/'
