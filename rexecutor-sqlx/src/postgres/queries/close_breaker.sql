-- Closes the circuit breaker of an executor by hand: it counts anew. Whether it was open.
WITH closed AS (
    DELETE FROM {schema}.breakers WHERE executor = $1 RETURNING opened_at
)
SELECT count(*) FILTER (WHERE opened_at IS NOT NULL) > 0 AS was_open FROM closed
