-- $1 the test clock's time. What the clock is known to have shown, if it was set back by more than a minute since.
SELECT known.before
FROM (
    SELECT greatest(
        (SELECT max(seen_at) FROM {schema}.nodes),
        (SELECT inserted_at FROM {schema}.jobs ORDER BY id DESC LIMIT 1)
    ) AS before
) AS known
WHERE known.before > (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp())) + INTERVAL '1 minute'
