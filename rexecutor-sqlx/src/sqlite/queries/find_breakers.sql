-- What is stored of the circuit breakers of these executors, the JSON array ?1.
SELECT executor, failures, opened_at, open_until, pause, reason FROM rexecutor_breakers
WHERE executor IN (SELECT value FROM json_each(?1))
