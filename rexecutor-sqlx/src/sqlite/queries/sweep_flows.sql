-- Flows that have not ended and about which there may be something to decide, with higher numbers than ?2.
SELECT id, watches
FROM rexecutor_flows
WHERE id > ?2 AND finished_at IS NULL
    AND (
        {may_have_ended}
        OR watches & 8 <> 0
        OR (
            watches & 4 <> 0
            AND EXISTS (
                SELECT 1 FROM rexecutor_tasks AS task
                LEFT JOIN rexecutor_jobs AS job ON job.id = task.job
                WHERE task.flow = rexecutor_flows.id AND task.told IS NULL
                    AND (job.id IS NULL OR job.status IN ('complete', 'cancelled', 'discarded'))
            )
        )
    )
ORDER BY id
LIMIT 0 + ?1
