-- Flows that have ended and have lost their last job.
DELETE FROM {schema}.flows
WHERE flows.id = ANY ($1) AND flows.finished_at IS NOT NULL
    AND NOT EXISTS (SELECT FROM {schema}.jobs WHERE jobs.flow = flows.id)
