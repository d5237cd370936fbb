-- The circuit breakers of these executors, $1 in ascending order, which nobody else can change before the transaction ends. One that
-- has counted nothing yet gets a row, so that there is something to lock.
INSERT INTO {schema}.breakers AS kept (executor)
SELECT executor FROM unnest($1::TEXT []) AS heard (executor)
ON CONFLICT (executor) DO UPDATE SET executor = excluded.executor
RETURNING kept.executor, kept.failures, kept.opened_at, kept.open_until, kept.pause, kept.reason
