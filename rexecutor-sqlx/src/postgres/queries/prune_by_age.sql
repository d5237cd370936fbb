-- $3 are executors; $4 says whether they are those meant or those spared. SKIP LOCKED: a job that somebody reruns just
-- now is not to be waited for. Jobs that halt a line are left to whoever lets it go on, and
-- those of a flow until it has ended.
WITH deleted AS (
    DELETE FROM {schema}.jobs
    WHERE id = ANY (ARRAY(
        SELECT id FROM {schema}.jobs
        WHERE status = $2 AND status IN ('complete', 'cancelled', 'discarded')
            AND finished_at
                < (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp())) - $5::INTERVAL
            AND (executor = ANY ($3)) = $4 AND (line IS NULL OR line = 0 OR status <> 'discarded') AND ({in_no_open_flow})
        ORDER BY finished_at, id
        LIMIT $6
        FOR UPDATE SKIP LOCKED
    ))
    RETURNING id, marks, flow
)
SELECT
    count(*) AS jobs,
    array_agg(id) FILTER (WHERE marks & {steps} <> 0) AS with_steps,
    array_agg(DISTINCT flow) FILTER (WHERE flow IS NOT NULL) AS flows
FROM deleted
