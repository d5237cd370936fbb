-- $1 the node, $2 executors, and limits that executors share, in ascending order, and of each: $3 how many jobs may run at once, $4 how many nanoseconds one token
-- takes, $5 how many tokens there may be, $6 how many of one key may run, $7 whether these run one after another, $8 which limits it shares, as a JSON array, $9 how many
-- nanoseconds one token of a key takes, $10 how many a key may have, $11 whether jobs cost what they weigh, $12 in how many microseconds one rises by a priority. It gives a row for each, if
-- the node is a member.
WITH declared AS (
    INSERT INTO {schema}.declared_limits (
        node, executor, max_running, rate_interval, rate_burst, max_per_key, is_ordered, shared, key_rate_interval, key_rate_burst,
        weighs, aging
    )
    SELECT
        member.id, new.executor, new.max_running, new.rate_interval, new.rate_burst, new.max_per_key, new.is_ordered,
        CASE WHEN new.shared IS NOT NULL THEN ARRAY(SELECT json_array_elements_text(new.shared::JSON)) END,
        new.key_rate_interval, new.key_rate_burst, new.weighs, new.aging
    FROM (SELECT id FROM {schema}.nodes WHERE id = $1 FOR KEY SHARE) AS member
    CROSS JOIN unnest($2::TEXT [], $3::BIGINT [], $4::BIGINT [], $5::BIGINT [], $6::BIGINT [], $7::BOOLEAN [], $8::TEXT [], $9::BIGINT [], $10::BIGINT [], $11::BOOLEAN [], $12::BIGINT [])
        AS new (
            executor, max_running, rate_interval, rate_burst, max_per_key, is_ordered, shared, key_rate_interval, key_rate_burst,
            weighs, aging
        )
    ON CONFLICT (executor, node) DO UPDATE
    SET
        max_running = excluded.max_running, rate_interval = excluded.rate_interval, rate_burst = excluded.rate_burst,
        max_per_key = excluded.max_per_key, is_ordered = excluded.is_ordered, shared = excluded.shared,
        key_rate_interval = excluded.key_rate_interval, key_rate_burst = excluded.key_rate_burst, weighs = excluded.weighs, aging = excluded.aging
    RETURNING executor
),
lockable AS (
    INSERT INTO {schema}.limits (executor)
    SELECT executor FROM declared ORDER BY executor
    ON CONFLICT (executor) DO NOTHING
)
SELECT executor FROM declared
