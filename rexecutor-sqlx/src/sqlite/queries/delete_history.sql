-- ?1 a step, ?2 [when it began, executor, how runs ended] of each.
DELETE FROM rexecutor_history
WHERE step = ?1 AND (at, executor, ended) IN (SELECT old.value ->> 0, old.value ->> 1, old.value ->> 2 FROM json_each(?2) AS old)
