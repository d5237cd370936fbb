-- find_ended_flows among all that have not ended.
SELECT id
FROM rexecutor_flows
WHERE finished_at IS NULL
    AND (
        watches & 2 <> 0
        OR (
            watches & 1 <> 0
            AND EXISTS (SELECT 1 FROM rexecutor_jobs WHERE rexecutor_jobs.flow = rexecutor_flows.id AND status = 'discarded')
        )
        OR NOT EXISTS (
            SELECT 1 FROM rexecutor_jobs
            WHERE rexecutor_jobs.flow = rexecutor_flows.id AND status IN ('blocked', 'scheduled', 'executing', 'retryable')
        )
    )
ORDER BY id
LIMIT 0 + ?1
