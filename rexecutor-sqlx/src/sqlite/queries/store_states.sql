-- What a change of status changes.
UPDATE rexecutor_jobs
SET
    status = run.value ->> 1,
    attempt = run.value ->> 2,
    scheduled_at = run.value ->> 3,
    node = run.value ->> 4,
    cancel_reason = run.value ->> 5,
    completed_at = run.value ->> 6,
    cancelled_at = run.value ->> 7,
    discarded_at = run.value ->> 8,
    marks = run.value ->> 9,
    output = run.value ->> 10,
    deadline_at = run.value ->> 11,
    lease = run.value ->> 12
FROM json_each(?1) AS run
WHERE rexecutor_jobs.id = run.value ->> 0
