SELECT number * 2 AS twice FROM UNNEST([3, 1, 2]) AS t (number)
