SELECT chr(65) AS a, chr(8364) AS euro, ascii('A') AS code, ascii('€') AS wide
