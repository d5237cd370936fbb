-- Jobs after number ?3, ?2 at most. Of those that nobody listens for, who ask for the executors ?4, only the number.
SELECT
    id, CASE WHEN ?4 IS NULL OR executor IN (SELECT value FROM json_each(?4)) THEN executor END AS executor, tags, inserted_at,
    CASE WHEN {pending} AND attempt = 0 THEN scheduled_at END AS due_at
FROM rexecutor_jobs
WHERE id > ?3
ORDER BY id
LIMIT 0 + ?2
