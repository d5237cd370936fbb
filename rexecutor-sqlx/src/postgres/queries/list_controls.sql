-- $1 the test clock's time. About which executors anything is to be kept to, and whether claims of them take turns.
SELECT executor, bool_or(is_limited) AS is_limited
FROM (
    SELECT executor, FALSE AS is_limited FROM {schema}.controls
    WHERE paused_until IS NULL OR paused_until > (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp()))
    UNION ALL
    -- Jobs of any executor may have a tag.
    SELECT '', FALSE FROM {schema}.tag_pauses
    UNION ALL
    SELECT executor, TRUE FROM {schema}.declared_limits
    UNION ALL
    SELECT executor, TRUE FROM {schema}.set_limits
    UNION ALL
    SELECT executor, TRUE FROM {schema}.breakers WHERE opened_at IS NOT NULL
    UNION ALL
    SELECT executor, FALSE FROM {schema}.limits
    WHERE throttled_until > (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp()))
    UNION ALL
    -- Without a name: somebody listens.
    SELECT NULL, FALSE FROM {schema}.listeners WHERE until_at > clock_timestamp()
) AS known
GROUP BY executor
