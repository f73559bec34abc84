SELECT id, extract(year FROM day) AS y, extract(quarter FROM day) AS q, extract(doy FROM day) AS doy,
       extract(dow FROM day) AS dow
FROM '${DATA}/days/'
