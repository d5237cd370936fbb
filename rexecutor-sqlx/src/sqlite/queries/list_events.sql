SELECT id, at, kind, job, executor, attempt, tags, node, due_at, error, detail
FROM rexecutor_events
WHERE id > ?1
ORDER BY id
LIMIT 0 + ?2
