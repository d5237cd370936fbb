-- Jobs that this transaction has found to be due. The sums are as in claim_jobs.sql.
--
-- OR ROLLBACK, here and where jobs are completed: without it SQLite keeps a copy of every page, so that it could undo
-- this statement alone. A transaction of ours that fails is undone as a whole.
UPDATE OR ROLLBACK rexecutor_jobs
SET
    status = 'executing',
    attempt = attempt + (attempt < 65535),
    lease = lease + (lease < 9223372036854775807),
    node = ?1,
    attempted_at = ?4
WHERE id IN (SELECT value FROM json_each(?3))
