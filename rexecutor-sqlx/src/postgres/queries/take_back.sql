-- $1 the test clock's time, $2 tags whose pauses are over, $3 how many jobs that were set aside for them are due again, as they were. One
-- that somebody has changed since stays as it is. Gives how many there were.
WITH present AS MATERIALIZED (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS now),
freed AS (
    DELETE FROM {schema}.aside
    WHERE job = ANY (ARRAY(SELECT job FROM {schema}.aside WHERE tag = ANY ($2) ORDER BY tag, due_at LIMIT $3::BIGINT))
    RETURNING job, due_at
),
back AS (
    -- It was due then, whatever clock says otherwise now.
    UPDATE {schema}.jobs AS job
    SET scheduled_at = least(freed.due_at, present.now)
    FROM freed
    CROSS JOIN present
    WHERE job.id = freed.job AND job.{pending} AND job.scheduled_at >= {aside_from}
)
SELECT count(*) AS count FROM freed
