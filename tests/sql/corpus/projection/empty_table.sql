SELECT id + 1 AS next, upper(name) AS name, amount * 2 AS twice FROM '${DATA}/empty/'
