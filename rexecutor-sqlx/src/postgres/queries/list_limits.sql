SELECT executor, set_at, max_running, max_per_key, rate_jobs, rate_period, rate_burst, key_rate_jobs, key_rate_period,
    key_rate_burst, set_by, reason
FROM {schema}.set_limits
ORDER BY executor
