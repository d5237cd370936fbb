-- Counts tasks that have ended, ?1 a list of lists: task, how, in those that come after them.
UPDATE rexecutor_tasks
SET
    succeeded = rexecutor_tasks.succeeded + tally.succeeded,
    failed = rexecutor_tasks.failed + tally.failed,
    skipped = rexecutor_tasks.skipped + tally.skipped
FROM (
    SELECT
        edge.successor,
        count(*) FILTER (WHERE ended.value ->> 1 = 1) AS succeeded,
        count(*) FILTER (WHERE ended.value ->> 1 = 2) AS failed,
        count(*) FILTER (WHERE ended.value ->> 1 = 3) AS skipped
    FROM json_each(?1) AS ended
    CROSS JOIN rexecutor_task_edges AS edge ON edge.predecessor = ended.value ->> 0
    GROUP BY edge.successor
) AS tally
WHERE rexecutor_tasks.job = tally.successor
RETURNING job, run_when, wanted, succeeded, failed, skipped
