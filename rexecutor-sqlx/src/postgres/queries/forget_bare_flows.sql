-- Flows that have had no job for a week, with their tasks.
WITH forgotten AS (
    DELETE FROM {schema}.flows
    WHERE flows.id = ANY (ARRAY(
        SELECT bare.id FROM {schema}.flows AS bare
        WHERE bare.is_bare AND bare.finished_at < (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp())) - INTERVAL '7 days'
        ORDER BY bare.finished_at
        LIMIT 500
        FOR UPDATE SKIP LOCKED
    ))
    RETURNING flows.id
),
placeless AS (
    DELETE FROM {schema}.tasks USING forgotten WHERE tasks.flow = forgotten.id RETURNING tasks.job
)
DELETE FROM {schema}.task_edges USING placeless WHERE task_edges.successor = placeless.job
