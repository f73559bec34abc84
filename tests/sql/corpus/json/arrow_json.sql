SELECT id, doc -> 'address' ->> 'zip' AS zip FROM '${DATA}/nested/'
