-- Jobs that wait and stand for themselves, with numbers between ?5 and ?6, behind (?1, ?2, ?3, ?4) in the order of the index.
SELECT
    id, executor, priority, scheduled_at AS due_at,
    length(CAST(data AS BLOB)) + coalesce(length(CAST(metadata AS BLOB)), 0)
    + coalesce((SELECT sum(length(CAST(text AS BLOB))) FROM rexecutor_chunks WHERE job = rexecutor_jobs.id), 0)
    + coalesce((SELECT sum(length(CAST(output AS BLOB))) FROM rexecutor_steps WHERE job = rexecutor_jobs.id), 0) AS bytes
FROM rexecutor_jobs
WHERE {pending}
    AND (executor, priority, scheduled_at, id) > (?1, ?2, ?3, ?4)
    AND id > ?5 AND id <= ?6
    AND flow IS NULL AND line IS NULL AND coalesce(marks, 0) & ~{movable} = 0 AND scheduled_at < {aside_from}
ORDER BY executor, priority, scheduled_at, id
LIMIT 0 + ?7
