-- The newest job that is one too many, counted from the newest; all that finished before it go with it. Jobs that halt a line are
-- left to whoever lets it go on, those of a flow until it has ended, and neither counts.
WITH surplus AS MATERIALIZED (
    SELECT finished_at, id FROM {schema}.jobs
    WHERE status = $1 AND status IN ('complete', 'cancelled', 'discarded') AND (executor = ANY ($2)) = $3
        AND (line IS NULL OR line = 0 OR status <> 'discarded') AND ({in_no_open_flow})
    ORDER BY finished_at DESC, id DESC
    LIMIT 1 OFFSET $4
),
deleted AS (
    DELETE FROM {schema}.jobs
    WHERE id = ANY (ARRAY(
        SELECT id FROM {schema}.jobs
        WHERE status = $1 AND status IN ('complete', 'cancelled', 'discarded') AND (executor = ANY ($2)) = $3
            AND (line IS NULL OR line = 0 OR status <> 'discarded') AND ({in_no_open_flow})
            AND (finished_at, id)
                <= ((SELECT finished_at FROM surplus), (SELECT id FROM surplus))
        ORDER BY finished_at, id
        LIMIT $5
        FOR UPDATE SKIP LOCKED
    ))
    RETURNING id, marks, flow
)
SELECT
    count(*) AS jobs,
    array_agg(id) FILTER (WHERE marks & {steps} <> 0) AS with_steps,
    array_agg(DISTINCT flow) FILTER (WHERE flow IS NOT NULL) AS flows
FROM deleted
