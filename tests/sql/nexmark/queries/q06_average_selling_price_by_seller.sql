SELECT Q.seller, AVG(Q.final) OVER (PARTITION BY Q.seller ORDER BY Q.dateTime, Q.id
                                    ROWS BETWEEN 10 PRECEDING AND CURRENT ROW) AS average
FROM (
  SELECT A.id, A.seller, B.price AS final, B.dateTime
  FROM '${NEXMARK}/auction/' A JOIN '${NEXMARK}/bid/' B
    ON A.id = B.auction AND B.dateTime BETWEEN A.dateTime AND A.expires
  QUALIFY ROW_NUMBER() OVER (PARTITION BY A.id ORDER BY B.price DESC, B.dateTime) = 1) Q
