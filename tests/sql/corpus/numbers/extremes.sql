SELECT id, tiny, small, whole, big, plain, exact, precise FROM '${DATA}/extremes/'
