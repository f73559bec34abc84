SELECT id, text || '!' AS loud, concat(text, '!', NULL, 7) AS joined,
       concat_ws('-', text, NULL, 'end') AS dashed
FROM '${DATA}/texts/'
