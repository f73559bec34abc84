SELECT approx_count_distinct(status) AS s, approx_count_distinct(quantity) AS q FROM '${DATA}/orders/'
