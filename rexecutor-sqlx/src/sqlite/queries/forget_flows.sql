-- Flows that have ended and have lost their last job.
DELETE FROM rexecutor_flows
WHERE id IN (SELECT value FROM json_each(?1)) AND finished_at IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM rexecutor_jobs WHERE rexecutor_jobs.flow = rexecutor_flows.id)
