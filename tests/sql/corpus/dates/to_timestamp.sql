SELECT to_timestamp(0) AS epoch, to_timestamp(-1) AS before, to_timestamp(1709210096) AS later
