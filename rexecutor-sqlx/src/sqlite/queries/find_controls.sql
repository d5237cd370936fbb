-- What is to be kept to about these executors, a JSON array, and about the whole cluster, whose row has no name; NULL:
-- about everything.
SELECT executor, paused_at, paused_until, paused_by, pause_reason
FROM rexecutor_controls
WHERE ?1 IS NULL OR executor = '' OR executor IN (SELECT value FROM json_each(?1))
ORDER BY executor
