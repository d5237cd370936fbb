-- Completions, for those who listen: in their transaction. $1 the numbers of jobs that are complete now.
{tell}
SELECT told.finished_at, 'completed', told.id, told.executor, told.attempt, told.tags, NULL, NULL, NULL, NULL
FROM {schema}.jobs AS told
WHERE told.id = ANY ($1::BIGINT []) AND {heard}
