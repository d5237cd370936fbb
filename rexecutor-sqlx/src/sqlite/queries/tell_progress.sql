-- What runs have said, ?1, as far as it was stored a moment ago. ?2 the present.
INSERT INTO rexecutor_events (at, kind, job, executor, attempt, tags, detail)
SELECT ?2, 'progress', told.id, told.executor, told.attempt, told.tags, run.value ->> 2
FROM json_each(?1) AS run
INNER JOIN rexecutor_jobs AS told ON told.id = run.value ->> 0 AND told.lease = run.value ->> 1
WHERE {heard}
