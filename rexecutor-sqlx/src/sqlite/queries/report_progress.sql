-- A run whose job has been claimed again says nothing any more.
INSERT INTO rexecutor_progress (job, lease, report)
SELECT run.value ->> 0, run.value ->> 1, run.value ->> 2
FROM json_each(?1) AS run
WHERE EXISTS (SELECT 1 FROM rexecutor_jobs WHERE id = run.value ->> 0 AND lease = run.value ->> 1)
ON CONFLICT (job) DO UPDATE SET lease = excluded.lease, report = excluded.report
WHERE rexecutor_progress.lease <= excluded.lease
