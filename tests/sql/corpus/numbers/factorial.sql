SELECT factorial(5) AS f, factorial(0) AS one
