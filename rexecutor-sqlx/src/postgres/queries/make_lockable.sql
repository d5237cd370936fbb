-- Executors that have a limit, or whose circuit breaker is open, have a row that claims lock. Other databases need none.
INSERT INTO {schema}.limits (executor)
SELECT executor FROM {schema}.set_limits
UNION
SELECT executor FROM {schema}.breakers WHERE opened_at IS NOT NULL
ORDER BY executor
ON CONFLICT (executor) DO NOTHING
