-- Tasks of a flow, by the numbers of their jobs.
SELECT
    task.job, task.name, task.run_when, task.told, job.executor, job.status,
    coalesce(job.marks, 0) & {skipped} <> 0 AS is_skipped,
    (
        SELECT json_group_array(edge.predecessor ORDER BY edge.place)
        FROM rexecutor_task_edges AS edge
        WHERE edge.successor = task.job
    ) AS predecessors
FROM rexecutor_tasks AS task
LEFT JOIN rexecutor_jobs AS job ON job.id = task.job
WHERE task.flow = ?1 AND task.job > ?2
ORDER BY task.job
LIMIT 0 + ?3
