-- How the circuit breakers of these executors, $1 in ascending order, stand: $2 when attempts failed, $3 since when each is open, $4 until
-- when, $5 for how long it stays so when the job fails that is let through, and $6 why. Claims of one that is open take turns, by
-- a row of its executor that is locked.
WITH stored AS (
    UPDATE {schema}.breakers AS kept
    SET
        failures = new.failures, opened_at = new.opened_at, open_until = new.open_until, pause = new.pause, reason = new.reason
    FROM unnest($1::TEXT [], $2::TEXT [], $3::TIMESTAMPTZ [], $4::TIMESTAMPTZ [], $5::BIGINT [], $6::TEXT [])
        AS new (executor, failures, opened_at, open_until, pause, reason)
    WHERE kept.executor = new.executor
    RETURNING kept.executor, kept.opened_at
)
INSERT INTO {schema}.limits (executor)
SELECT executor FROM stored WHERE opened_at IS NOT NULL ORDER BY executor
ON CONFLICT (executor) DO NOTHING
