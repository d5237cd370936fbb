-- Those of these flows about which there may be something to decide.
SELECT id
FROM rexecutor_flows
WHERE id IN (SELECT value FROM json_each(?1)) AND finished_at IS NULL
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
