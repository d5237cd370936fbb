-- Closes the circuit breaker of an executor by hand: it counts anew. Whether it was open.
DELETE FROM rexecutor_breakers WHERE executor = ?1
RETURNING opened_at IS NOT NULL AS was_open
