SELECT id, untyped FROM '${DATA}/hollow/' WHERE untyped IS NULL
