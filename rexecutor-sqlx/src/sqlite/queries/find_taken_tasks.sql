-- Of those of a flow's tasks that have these names, what their jobs are, and what they come after.
SELECT
    task.name, task.job, task.run_when, job.executor, job.data,
    (
        SELECT json_group_array(edge.predecessor ORDER BY edge.place)
        FROM rexecutor_task_edges AS edge
        WHERE edge.successor = task.job
    ) AS predecessors
FROM rexecutor_tasks AS task
LEFT JOIN rexecutor_jobs AS job ON job.id = task.job
WHERE task.flow = ?1 AND task.name IN (SELECT value FROM json_each(?2))
