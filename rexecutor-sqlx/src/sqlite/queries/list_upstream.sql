-- What a task comes after, as find_task gives it.
SELECT task.name, task.job, task.told, job.status, coalesce(job.marks, 0) & {skipped} <> 0 AS is_skipped, job.output
FROM rexecutor_task_edges AS edge
INNER JOIN rexecutor_tasks AS task ON task.job = edge.predecessor
LEFT JOIN rexecutor_jobs AS job ON job.id = task.job
WHERE edge.successor = ?1
ORDER BY edge.place
