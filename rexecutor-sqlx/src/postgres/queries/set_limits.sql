-- $1 the test clock's time, $2 the executor, $3 how many of its jobs may run at once, $4 how many of one key, $5 how many tokens of a
-- rate fall in each period of $6 nanoseconds, $7 how many nanoseconds one takes, $8 how many there may be, $11 to $14 the same of the
-- rate of each key. Whether any limits were set.
WITH lockable AS (
    INSERT INTO {schema}.limits (executor) VALUES ($2) ON CONFLICT (executor) DO NOTHING
),
before AS (
    SELECT executor FROM {schema}.set_limits WHERE executor = $2
),
stored AS (
    INSERT INTO {schema}.set_limits (
        executor, set_at, max_running, max_per_key, rate_jobs, rate_period, rate_interval, rate_burst, set_by, reason, key_rate_jobs,
        key_rate_period, key_rate_interval, key_rate_burst
    )
    VALUES ($2, coalesce($1::TIMESTAMPTZ, clock_timestamp()), $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
    ON CONFLICT (executor) DO UPDATE
    SET
        set_at = excluded.set_at, max_running = excluded.max_running, max_per_key = excluded.max_per_key,
        rate_jobs = excluded.rate_jobs, rate_period = excluded.rate_period, rate_interval = excluded.rate_interval,
        rate_burst = excluded.rate_burst, key_rate_jobs = excluded.key_rate_jobs, key_rate_period = excluded.key_rate_period,
        key_rate_interval = excluded.key_rate_interval, key_rate_burst = excluded.key_rate_burst, set_by = excluded.set_by, reason = excluded.reason
)
SELECT EXISTS (SELECT FROM before) AS were_set
