SELECT id, executor
FROM {schema}.jobs
WHERE flow = $1 AND status = $2 AND id > $3
ORDER BY id
LIMIT $4
