-- What a change of status changes. json_patch takes out what is null, and leaves what this program does not know.
UPDATE rexecutor_jobs
SET
    status = run.value ->> 1,
    attempt = run.value ->> 2,
    scheduled_at = run.value ->> 3,
    node = run.value ->> 4,
    finished_at = run.value ->> 5,
    marks = run.value ->> 6,
    output = run.value ->> 7,
    deadline_at = run.value ->> 8,
    lease = run.value ->> 9,
    line = run.value ->> 11,
    extras = nullif(json_patch(coalesce(extras, '{}'), run.value -> 10), '{}')
FROM json_each(?1) AS run
WHERE rexecutor_jobs.id = run.value ->> 0
