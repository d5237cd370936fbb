-- $1 numbers, $2 what has happened by that, for those who listen, if they are told; $3 the test clock's time.
WITH told AS (
    DELETE FROM {schema}.jobs
    USING unnest($1::BIGINT [], $2::TEXT []) AS gone (id, kind)
    WHERE jobs.id = gone.id
    RETURNING jobs.id, jobs.executor, jobs.attempt, jobs.tags, gone.kind
)
{tell}
SELECT
    coalesce($3::TIMESTAMPTZ, clock_timestamp()), told.kind, told.id, told.executor, told.attempt, told.tags, NULL, NULL,
    NULL, NULL
FROM told
WHERE told.kind IS NOT NULL AND {heard}
