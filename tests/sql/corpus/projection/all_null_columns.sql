SELECT id, word, number + 1 AS more, moment, untyped FROM '${DATA}/hollow/'
