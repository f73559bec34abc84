SELECT id, doc ->> 'nothing' AS nothing, doc ->> '$.address.street' AS street FROM '${DATA}/nested/'
