-- What is due, or may have a last tick ahead of the clock; then, without a name, when the next one is due.
WITH present AS MATERIALIZED (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS now),
due AS (
    SELECT name FROM {schema}.schedule_entries WHERE due_at <= (SELECT now FROM present)
    UNION
    SELECT name FROM {schema}.schedule_entries
    WHERE due_at IS NOT NULL AND last_at > (SELECT now FROM present) + INTERVAL '1 minute'
    ORDER BY name
    LIMIT 500
)
SELECT (SELECT now FROM present) AS now, name, NULL::TIMESTAMPTZ AS due_at FROM due
UNION ALL
SELECT
    (SELECT now FROM present), NULL,
    (SELECT min(due_at) FROM {schema}.schedule_entries WHERE due_at > (SELECT now FROM present))
