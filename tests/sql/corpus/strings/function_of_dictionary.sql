SELECT order_id, upper(status) AS u, length(status) AS l, status || '?' AS q FROM '${DATA}/orders/'
