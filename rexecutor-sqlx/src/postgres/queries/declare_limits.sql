-- $1 the node, $2 executors in ascending order, $3 how many jobs of each may run at once. It gives a row for each, if the node
-- is a member.
WITH declared AS (
    INSERT INTO {schema}.declared_limits (node, executor, max_running)
    SELECT member.id, new.executor, new.max_running
    FROM (SELECT id FROM {schema}.nodes WHERE id = $1 FOR KEY SHARE) AS member
    CROSS JOIN unnest($2::TEXT [], $3::BIGINT []) AS new (executor, max_running)
    ON CONFLICT (executor, node) DO UPDATE SET max_running = excluded.max_running
    RETURNING executor
),
lockable AS (
    INSERT INTO {schema}.limits (executor)
    SELECT executor FROM declared ORDER BY executor
    ON CONFLICT (executor) DO NOTHING
)
SELECT executor FROM declared
