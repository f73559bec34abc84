SELECT taken_at, (taken_at AT TIME ZONE 'UTC') AT TIME ZONE 'Europe/Vienna' AS there
FROM '${DATA}/readings/'
