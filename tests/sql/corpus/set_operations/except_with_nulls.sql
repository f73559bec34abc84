SELECT status FROM '${DATA}/orders/' EXCEPT SELECT 'paid'
