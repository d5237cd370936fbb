-- What a task comes after, as find_task gives it.
SELECT task.name, task.job, task.told, job.status, coalesce(job.marks, 0) & {skipped} <> 0 AS is_skipped, job.output
FROM {schema}.task_edges AS edge
INNER JOIN {schema}.tasks AS task ON task.job = edge.predecessor
LEFT JOIN {schema}.jobs AS job ON job.id = task.job
WHERE edge.successor = $1
ORDER BY edge.place
