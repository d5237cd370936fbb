-- $1 the test clock's time, $2 what the clock was last known to show before it was set back: executors and keys that are held back, and those whose
-- circuit breakers are open, wait no longer for it.
WITH present AS MATERIALIZED (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS now),
nanos AS MATERIALIZED (
    SELECT
        (extract(EPOCH FROM present.now) * 1000000)::BIGINT * 1000 AS now,
        (extract(EPOCH FROM $2::TIMESTAMPTZ) * 1000000)::BIGINT * 1000 AS before
    FROM present
),
keys AS (
    UPDATE {schema}.key_buckets AS kept
    SET held_until = nanos.now + greatest(kept.held_until - nanos.before, 0)
    FROM nanos
    WHERE kept.held_until > nanos.now
    RETURNING kept.executor
),
breakers AS (
    UPDATE {schema}.breakers AS kept
    SET
        open_until = present.now + greatest(kept.open_until - $2, INTERVAL '0'),
        opened_at = least(kept.opened_at, present.now)
    FROM present
    -- One whose pause began before what the clock shows now was moved already, or is over.
    WHERE kept.opened_at IS NOT NULL AND kept.open_until - kept.pause * INTERVAL '1 microsecond' > present.now
    RETURNING kept.executor
),
executors AS (
    UPDATE {schema}.limits AS kept
    SET throttled_until = present.now + greatest(kept.throttled_until - $2, INTERVAL '0')
    FROM present
    WHERE kept.throttled_until > present.now
    RETURNING kept.executor
)
SELECT executor FROM executors
UNION
SELECT executor FROM breakers
UNION
SELECT executor FROM keys
