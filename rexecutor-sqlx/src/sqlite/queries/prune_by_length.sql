-- ?1: the status, ?2: how many to keep, ?3: how many to delete, ?4: only these executors or NULL, ?5: all but these or NULL.
DELETE FROM rexecutor_jobs
WHERE id IN (
    SELECT id FROM (
        SELECT id, coalesce(completed_at, cancelled_at, discarded_at) AS finished_at
        FROM rexecutor_jobs
        WHERE status = ?1
            AND (?4 IS NULL OR executor IN (SELECT value FROM json_each(?4)))
            AND (?5 IS NULL OR executor NOT IN (SELECT value FROM json_each(?5)))
        ORDER BY finished_at DESC, id DESC
        LIMIT -1 OFFSET ?2
    )
    ORDER BY finished_at, id
    LIMIT ?3
)
