-- ?1: an executor. The priorities among its waiting jobs, each found by one step in the index, however many jobs it has.
WITH RECURSIVE steps (priority) AS (
    SELECT min(priority) FROM rexecutor_jobs WHERE executor = ?1 AND status IN ('scheduled', 'retryable')
    UNION ALL
    SELECT (
        SELECT min(jobs.priority) FROM rexecutor_jobs AS jobs
        WHERE jobs.executor = ?1 AND jobs.status IN ('scheduled', 'retryable') AND jobs.priority > steps.priority
    )
    FROM steps
    WHERE steps.priority IS NOT NULL
)
SELECT priority FROM steps WHERE priority IS NOT NULL
