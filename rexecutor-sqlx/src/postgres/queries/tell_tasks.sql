-- Counts tasks that have ended, $1, so, $2, in those that come after them; gives these, each with one before it that has not succeeded.
WITH tally AS MATERIALIZED (
    SELECT
        edge.successor,
        count(*) FILTER (WHERE ended.told = 1)::INTEGER AS succeeded,
        count(*) FILTER (WHERE ended.told = 2)::INTEGER AS failed,
        count(*) FILTER (WHERE ended.told = 3)::INTEGER AS skipped,
        coalesce(min(ended.job) FILTER (WHERE ended.told = 2), min(ended.job) FILTER (WHERE ended.told = 3)) AS because
    FROM unnest($1::BIGINT [], $2::SMALLINT []) AS ended (job, told)
    INNER JOIN {schema}.task_edges AS edge ON edge.predecessor = ended.job
    GROUP BY edge.successor
)
UPDATE {schema}.tasks
SET
    succeeded = tasks.succeeded + tally.succeeded,
    failed = tasks.failed + tally.failed,
    skipped = tasks.skipped + tally.skipped
FROM tally
WHERE tasks.job = tally.successor
RETURNING tasks.job, tasks.run_when, tasks.wanted, tasks.succeeded, tasks.failed, tasks.skipped, tally.because
