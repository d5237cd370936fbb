-- Tasks of a flow, by the numbers of their jobs.
SELECT
    task.job, task.name, task.run_when, task.told, job.executor, job.status,
    coalesce(job.marks, 0) & {skipped} <> 0 AS is_skipped,
    ARRAY(
        SELECT edge.predecessor FROM {schema}.task_edges AS edge WHERE edge.successor = task.job ORDER BY edge.place
    ) AS predecessors
FROM {schema}.tasks AS task
LEFT JOIN {schema}.jobs AS job ON job.id = task.job
WHERE task.flow = $1 AND task.job > $2
ORDER BY task.job
LIMIT $3
