-- $1 the test clock's time, $2 executors, $3 tags that are paused, $4 how many due jobs of each executor to look at from the head of
-- its line: those of them that have such a tag are set aside. A claim has met one; as a rule there are more.
WITH present AS MATERIALIZED (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS now),
head AS MATERIALIZED (
    SELECT job.id
    FROM unnest($2::TEXT []) AS asked (executor)
    CROSS JOIN LATERAL (
        SELECT job.id, job.tags FROM {schema}.jobs AS job
        WHERE job.executor = asked.executor AND job.{pending} AND job.scheduled_at <= (SELECT now FROM present)
        ORDER BY job.priority, job.scheduled_at, job.id
        LIMIT $4::BIGINT
    ) AS job
    WHERE job.tags && $3::TEXT []
),
met AS MATERIALIZED (
    SELECT
        job.id, job.scheduled_at AS due_at,
        (SELECT tag.name FROM unnest(job.tags) AS tag (name) WHERE tag.name = ANY ($3::TEXT []) LIMIT 1) AS tag
    FROM {schema}.jobs AS job
    WHERE job.id = ANY (ARRAY(SELECT head.id FROM head))
        AND job.{pending} AND job.scheduled_at <= (SELECT now FROM present) AND job.tags && $3::TEXT []
    ORDER BY job.id
    FOR UPDATE SKIP LOCKED
),
recorded AS (
    INSERT INTO {schema}.aside AS known (job, tag, due_at)
    SELECT id, tag, due_at FROM met
    ON CONFLICT (job) DO UPDATE SET tag = excluded.tag, due_at = excluded.due_at
)
UPDATE {schema}.jobs AS job SET scheduled_at = {aside} FROM met WHERE job.id = met.id
