-- ?1 the executor, ?3 how many of its jobs may run at once, ?4 how many of one key, ?5 how many tokens of a rate fall in each period of
-- ?6 nanoseconds, ?7 how many nanoseconds one takes, ?8 how many there may be, ?11 to ?14 the same of the
-- rate of each key.
INSERT OR REPLACE INTO rexecutor_set_limits (
    executor, set_at, max_running, max_per_key, rate_jobs, rate_period, rate_interval, rate_burst, set_by, reason, key_rate_jobs,
    key_rate_period, key_rate_interval, key_rate_burst
)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
