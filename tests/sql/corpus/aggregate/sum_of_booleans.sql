SELECT sum(CAST(gift AS INTEGER)) AS gifts, count_if(gift) AS again FROM '${DATA}/orders/'
