-- ?1: the status, ?2: finished before, ?3: how many, ?4: only these executors or NULL, ?5: all but these or NULL.
DELETE FROM rexecutor_jobs
WHERE id IN (
    SELECT id FROM rexecutor_jobs
    WHERE status = ?1
        AND coalesce(completed_at, cancelled_at, discarded_at) < ?2
        AND (?4 IS NULL OR executor IN (SELECT value FROM json_each(?4)))
        AND (?5 IS NULL OR executor NOT IN (SELECT value FROM json_each(?5)))
    ORDER BY coalesce(completed_at, cancelled_at, discarded_at), id
    LIMIT ?3
)
