SELECT id, doc -> 'list' ->> 0 AS first, doc ->> '$.list[2]' AS third FROM '${DATA}/nested/'
