SELECT order_id, {'amount': amount, 'count': quantity} AS both FROM '${DATA}/orders/'
