-- Marks jobs that open circuit breakers have let through, the JSON array ?1, in the transaction that has claimed them.
UPDATE rexecutor_jobs SET marks = coalesce(marks, 0) | {trial} WHERE id IN (SELECT value FROM json_each(?1))
