-- What an update, and a unique job that replaces another, change. $10 is how many tokens it costs. $11 what has happened by that, for those
-- who listen, if they are told; $12 the test clock's time.
WITH told AS (
    UPDATE {schema}.jobs
    SET data = $2, metadata = $3, max_attempts = $4, priority = $5, tags = $6, scheduled_at = $7, unique_key = $8,
        group_key = $9,
        extras = CASE
            WHEN $10::BIGINT IS NOT DISTINCT FROM substring(extras FROM '"weight": ?([0-9]{1,10})')::BIGINT THEN extras
            ELSE nullif(
                (
                    (coalesce(extras, '{}')::JSONB - 'weight')
                    || CASE WHEN $10::BIGINT IS NULL THEN '{}' ELSE jsonb_build_object('weight', $10::BIGINT) END
                )::TEXT, '{}'
            )
        END
    WHERE id = $1
    RETURNING id, executor, attempt, tags
)
{tell}
SELECT
    coalesce($12::TIMESTAMPTZ, clock_timestamp()), $11, told.id, told.executor, told.attempt, told.tags, NULL, NULL, NULL, NULL
FROM told
WHERE $11::TEXT IS NOT NULL AND {heard}
