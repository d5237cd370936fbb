-- Flows that have ended and have lost their last job, with their tasks.
WITH forgotten AS (
    DELETE FROM {schema}.flows
    WHERE flows.id = ANY ($1) AND flows.finished_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM {schema}.jobs WHERE jobs.flow = flows.id)
    RETURNING flows.id
),
placeless AS (
    DELETE FROM {schema}.tasks USING forgotten WHERE tasks.flow = forgotten.id RETURNING tasks.job
)
DELETE FROM {schema}.task_edges USING placeless WHERE task_edges.successor = placeless.job
