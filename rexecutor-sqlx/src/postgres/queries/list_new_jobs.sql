-- Jobs after number $1, and those of the ranges from $2 to $3 that were not committed yet when others after them were read. $4 how many. Of
-- those that nobody listens for, who ask for the executors $5, only the number.
SELECT
    job.id, (SELECT max(id) FROM {schema}.jobs) AS newest,
    CASE WHEN $5::TEXT [] IS NULL OR job.executor = ANY ($5) THEN job.executor END AS executor,
    job.tags, job.inserted_at, CASE WHEN job.{pending} AND job.attempt = 0 THEN job.scheduled_at END AS due_at
FROM (
    (SELECT id, executor, tags, inserted_at, scheduled_at, status, attempt FROM {schema}.jobs WHERE id > $1 ORDER BY id LIMIT $4::BIGINT)
    UNION ALL
    SELECT late.id, late.executor, late.tags, late.inserted_at, late.scheduled_at, late.status, late.attempt
    FROM unnest($2::BIGINT [], $3::BIGINT []) AS gap (first, last)
    INNER JOIN {schema}.jobs AS late ON late.id BETWEEN gap.first AND gap.last
) AS job
ORDER BY job.id
