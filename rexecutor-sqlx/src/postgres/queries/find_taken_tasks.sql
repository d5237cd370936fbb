-- Of those of a flow's tasks that have these names, what their jobs are, and what they come after.
SELECT
    task.name, task.job, task.run_when, job.executor, job.data,
    ARRAY(
        SELECT edge.predecessor FROM {schema}.task_edges AS edge WHERE edge.successor = task.job ORDER BY edge.place
    ) AS predecessors
FROM {schema}.tasks AS task
LEFT JOIN {schema}.jobs AS job ON job.id = task.job
WHERE task.flow = $1 AND task.name = ANY ($2)
