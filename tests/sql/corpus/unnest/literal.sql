SELECT unnest([3, 1, 2]) AS number
