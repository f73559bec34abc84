SELECT a.id, b.id AS other FROM '${DATA}/hollow/' a FULL JOIN '${DATA}/hollow/' b ON a.word = b.word
