-- A task by its name, with how its job stands and what it gave.
SELECT task.name, task.job, task.told, job.status, coalesce(job.marks, 0) & {skipped} <> 0 AS is_skipped, job.output
FROM rexecutor_tasks AS task
LEFT JOIN rexecutor_jobs AS job ON job.id = task.job
WHERE task.flow = ?1 AND task.name = ?2
