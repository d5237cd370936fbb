-- Jobs that were set aside, the JSON array ?1, are due again at ?2, as they were. One that somebody has changed since stays as it is.
-- It was due then, whatever clock says otherwise now.
UPDATE rexecutor_jobs
SET scheduled_at = min((SELECT due_at FROM rexecutor_aside WHERE job = rexecutor_jobs.id), ?2)
WHERE id IN (SELECT value FROM json_each(?1)) AND {pending} AND scheduled_at >= {aside_from}
