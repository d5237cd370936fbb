-- Completions, in their transaction.
INSERT INTO rexecutor_events (at, kind, job, executor, attempt, tags)
SELECT told.finished_at, 'completed', told.id, told.executor, told.attempt, told.tags
FROM json_each(?) AS run
INNER JOIN rexecutor_jobs AS told ON told.id = run.value
WHERE {heard}
