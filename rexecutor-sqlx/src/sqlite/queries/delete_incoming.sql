-- ?2 numbers in the source; NULL: all.
DELETE FROM rexecutor_incoming WHERE token = ?1 AND (?2 IS NULL OR job IN (SELECT value FROM json_each(?2)))
