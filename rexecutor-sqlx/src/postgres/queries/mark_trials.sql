-- Marks jobs that open circuit breakers have let through, $1, in the transaction that has claimed them.
UPDATE {schema}.jobs SET marks = coalesce(marks, 0) | {trial} WHERE id = ANY ($1)
