-- {within} is a status. The next $3 jobs that finished before $1, or then and have a lower number than $2; the last first.
SELECT id, finished_at AS at FROM {schema}.jobs
WHERE {within} AND (finished_at, id) < ($1, $2::BIGINT)
ORDER BY finished_at DESC, id DESC
LIMIT $3
