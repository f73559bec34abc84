SELECT id, json_valid(text) AS valid FROM '${DATA}/texts/'
