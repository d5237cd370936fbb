-- Executors that have a limit, or whose circuit breaker is open, and no row for claims to lock: none of their jobs is claimed.
SELECT executor
FROM (
    SELECT executor FROM {schema}.set_limits
    UNION
    SELECT executor FROM {schema}.breakers WHERE opened_at IS NOT NULL
) AS limited
WHERE NOT EXISTS (SELECT 1 FROM {schema}.limits WHERE limits.executor = limited.executor)
ORDER BY executor
