SELECT order_id, if(gift, 'gift', 'plain') AS kind FROM '${DATA}/orders/'
