-- What the row of a job says where the event does not: its executor and its tags.
INSERT INTO rexecutor_events (at, kind, job, executor, attempt, tags, node, due_at, error, detail)
SELECT at, kind, job, executor, attempt, tags, node, due_at, error, detail
FROM (
    SELECT
        event.key AS place,
        event.value ->> 0 AS at,
        event.value ->> 1 AS kind,
        event.value ->> 2 AS job,
        coalesce(event.value ->> 3, job.executor, '') AS executor,
        event.value ->> 4 AS attempt,
        coalesce(job.tags, event.value ->> 5) AS tags,
        event.value ->> 6 AS node,
        event.value ->> 7 AS due_at,
        event.value ->> 8 AS error,
        event.value ->> 9 AS detail
    FROM json_each(?) AS event
    LEFT JOIN rexecutor_jobs AS job ON job.id = event.value ->> 2
) AS told
WHERE told.job IS NULL OR {heard}
ORDER BY place
