SELECT day AS moment FROM '${DATA}/days/' UNION ALL SELECT moment FROM '${DATA}/days/'
