SELECT id, CAST(day AS VARCHAR) AS day FROM '${DATA}/days/'
