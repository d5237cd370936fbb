-- Claims, for those who listen: in their transaction. $1 the numbers of the claimed jobs. When a job was enqueued stands where it is said of
-- others when they are due.
{tell}
SELECT told.attempted_at, 'started', told.id, told.executor, told.attempt, told.tags, told.node, told.inserted_at, NULL, NULL
FROM {schema}.jobs AS told
WHERE told.id = ANY ($1::BIGINT []) AND {heard}
