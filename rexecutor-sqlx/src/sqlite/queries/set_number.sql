-- The last number that the table ?1 has given out is ?2, whatever there is a row of it.
UPDATE sqlite_sequence SET seq = ?2 WHERE name = ?1
