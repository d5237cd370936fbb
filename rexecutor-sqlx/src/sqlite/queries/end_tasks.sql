-- Notes how these tasks have ended, of flows that have not and of which that was not noted before.
UPDATE rexecutor_tasks
SET told = ended.told
FROM (
    SELECT
        task.job,
        CASE
            WHEN job.status = 'complete' THEN 1
            WHEN job.status = 'cancelled' AND coalesce(job.marks, 0) & {skipped} <> 0 THEN 3
            ELSE 2
        END AS told
    FROM rexecutor_tasks AS task
    INNER JOIN rexecutor_flows AS flow ON flow.id = task.flow AND flow.finished_at IS NULL
    LEFT JOIN rexecutor_jobs AS job ON job.id = task.job
    WHERE task.job IN (SELECT value FROM json_each(?1)) AND task.told IS NULL
        AND (job.id IS NULL OR job.status IN ('complete', 'cancelled', 'discarded'))
) AS ended
WHERE rexecutor_tasks.job = ended.job
RETURNING job, flow, name, told
