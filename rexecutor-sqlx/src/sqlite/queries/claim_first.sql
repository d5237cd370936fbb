-- What is found is that of first_due.sql, for one executor or for several. The sums are as in claim_jobs.sql, the rest as
-- in claim_found.sql.
UPDATE OR ROLLBACK rexecutor_jobs
SET
    status = 'executing',
    attempt = attempt + (attempt < 65535),
    lease = lease + (lease < 9223372036854775807),
    node = ?,
    attempted_at = ?
WHERE EXISTS (SELECT 1 FROM rexecutor_nodes WHERE id = ? AND NOT is_outdated) AND id IN ({found})
