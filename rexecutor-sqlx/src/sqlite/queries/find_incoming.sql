-- Those of the jobs of a source, ?2, that have come already.
SELECT job, stored_as FROM rexecutor_incoming WHERE token = ?1 AND job IN (SELECT value FROM json_each(?2))
