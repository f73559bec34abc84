SELECT id, replace(text, 'e', '_E_') AS r FROM '${DATA}/texts/'
