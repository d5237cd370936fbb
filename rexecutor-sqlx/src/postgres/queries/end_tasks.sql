-- Notes how these tasks of these flows have ended, of which that was not noted before. The flows' rows are locked.
UPDATE {schema}.tasks
SET told = ended.told
FROM (
    SELECT
        task.job,
        CASE
            WHEN job.status = 'complete' THEN 1
            WHEN job.status = 'cancelled' AND coalesce(job.marks, 0) & {skipped} <> 0 THEN 3
            ELSE 2
        END::SMALLINT AS told
    FROM {schema}.tasks AS task
    LEFT JOIN {schema}.jobs AS job ON job.id = task.job
    WHERE task.job = ANY ($1) AND task.flow = ANY ($2) AND task.told IS NULL
        AND (job.id IS NULL OR job.status IN ('complete', 'cancelled', 'discarded'))
) AS ended
WHERE tasks.job = ended.job
RETURNING tasks.job, tasks.flow, tasks.name, tasks.told
