-- The sums with a comparison stop at the largest value instead of failing, so that one broken row does not keep the
-- others from being claimed.
UPDATE rexecutor_jobs
SET
    status = 'executing',
    attempt = attempt + (attempt < 65535),
    lease = lease + (lease < 9223372036854775807),
    node = ?5,
    attempted_at = ?3
WHERE id IN (
    SELECT id FROM rexecutor_jobs
    WHERE executor = ?1 AND priority = ?2 AND {pending} AND scheduled_at <= ?3
    ORDER BY scheduled_at, id
    LIMIT 0 + ?4
)
RETURNING
    {columns}
