-- What is not finished, by why it is not moved; jobs up to ?1 have been copied before. OR: see rexecutor_jobs_finished.
SELECT why, count(*) AS jobs
FROM (
    SELECT
        CASE
            WHEN status = 'executing' THEN 'executing'
            WHEN id <= ?1 THEN 'copied'
            WHEN flow IS NOT NULL THEN 'in_flows'
            WHEN line IS NOT NULL THEN 'ordered'
            WHEN status = 'blocked' THEN 'blocked'
            WHEN scheduled_at >= {aside_from} THEN 'set_aside'
            WHEN coalesce(marks, 0) & ~{movable} <> 0 THEN 'awaited'
            ELSE 'new'
        END AS why
    FROM (
        SELECT status, id, flow, line, scheduled_at, marks FROM rexecutor_jobs INDEXED BY rexecutor_jobs_ready
        WHERE {pending}
        UNION ALL
        SELECT status, id, flow, line, scheduled_at, marks FROM rexecutor_jobs INDEXED BY rexecutor_jobs_executing
        WHERE status = 'executing'
        UNION ALL
        SELECT status, id, flow, line, scheduled_at, marks FROM rexecutor_jobs INDEXED BY rexecutor_jobs_blocked
        WHERE status = 'blocked'
    ) AS stored
) AS job
GROUP BY why
