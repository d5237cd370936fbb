-- [job, lease, number, attempt, text] of each. A run whose job has been claimed again says nothing any more. One that is there was stored
-- by a call whose answer was lost.
INSERT INTO rexecutor_chunks (job, lease, number, attempt, text)
SELECT run.value ->> 0, run.value ->> 1, run.value ->> 2, run.value ->> 3, run.value ->> 4
FROM json_each(?) AS run
WHERE EXISTS (SELECT 1 FROM rexecutor_jobs WHERE id = run.value ->> 0 AND lease = run.value ->> 1)
ON CONFLICT (job, lease, number) DO NOTHING
