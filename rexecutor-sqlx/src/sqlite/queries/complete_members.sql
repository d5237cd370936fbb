-- complete_with_outputs for jobs that are part of a flow and have no other mark.
UPDATE OR ROLLBACK rexecutor_jobs
SET status = 'complete', node = NULL, finished_at = max(?, coalesce(attempted_at, 0)), output = run.value ->> 2
FROM json_each(?) AS run
WHERE rexecutor_jobs.id = run.value ->> 0 AND lease = run.value ->> 1 AND status = 'executing' AND marks = {member}
