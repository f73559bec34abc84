SELECT id, array_sort(scores) AS sorted FROM '${DATA}/nested/'
