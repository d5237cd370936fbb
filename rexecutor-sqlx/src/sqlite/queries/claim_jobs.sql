-- ?1: an executor, ?2: a priority, ?3: now, ?4: how many, ?5: the node.
UPDATE rexecutor_jobs
SET status = 'executing', attempt = attempt + 1, lease = lease + 1, attempted_at = ?3, node = ?5
WHERE id IN (
    SELECT id FROM rexecutor_jobs
    WHERE executor = ?1 AND priority = ?2 AND status IN ('scheduled', 'retryable') AND scheduled_at <= ?3
    ORDER BY scheduled_at, id
    LIMIT ?4
)
RETURNING *
