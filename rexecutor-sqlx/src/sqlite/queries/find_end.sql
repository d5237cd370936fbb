-- The number of the ?2nd row behind ?1; see walk_jobs.sql.
SELECT id FROM rexecutor_jobs
WHERE {within} AND id {beyond} ?1
ORDER BY id {direction}
LIMIT 1 OFFSET 0 + ?2 - 1
