SELECT count(*) AS every, count(discount) AS some, avg(discount) AS mean, sum(discount) AS total,
       min(discount) AS low
FROM '${DATA}/orders/'
