-- Lets these blocked jobs be claimed; gives whose they are.
WITH locked AS MATERIALIZED (
    SELECT id FROM {schema}.jobs WHERE id = ANY ($2) AND status = 'blocked' ORDER BY id FOR UPDATE
),
released AS (
    UPDATE {schema}.jobs
    SET
        status = 'scheduled',
        -- Not before: it would stand behind jobs that were claimed already.
        scheduled_at = greatest(scheduled_at, coalesce($1::TIMESTAMPTZ, clock_timestamp()))
    FROM locked
    WHERE jobs.id = locked.id
    RETURNING jobs.id, jobs.executor, jobs.attempt, jobs.tags, jobs.scheduled_at
),
heard AS (
    {tell}
    SELECT
        coalesce($1::TIMESTAMPTZ, clock_timestamp()), 'released', told.id, told.executor, told.attempt, told.tags, NULL,
        told.scheduled_at, NULL, NULL
    FROM released AS told
    WHERE {heard}
)
SELECT DISTINCT executor FROM released
