SELECT id, CAST(scores AS INTEGER[]) AS scores FROM '${DATA}/nested/'
