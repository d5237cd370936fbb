-- Lets these blocked jobs be claimed; not before now: they would stand behind jobs that were claimed already.
UPDATE rexecutor_jobs
SET status = 'scheduled', scheduled_at = max(scheduled_at, ?1)
WHERE id IN (SELECT value FROM json_each(?2)) AND status = 'blocked'
RETURNING id, executor, scheduled_at
