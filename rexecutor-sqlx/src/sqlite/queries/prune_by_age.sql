-- Jobs that halt a line are left to whoever lets it go on, and those of a flow until it has ended.
--
-- ?2 is a JSON array of executors; ?3 says whether they are those meant (1) or those spared (0). The words about the
-- status are those of the index, so that SQLite sees that it may use it.
DELETE FROM rexecutor_jobs
WHERE id IN (
    SELECT id FROM rexecutor_jobs
    WHERE status = ?1 AND (status = 'complete' OR status = 'cancelled' OR status = 'discarded')
        AND finished_at < ?4
        AND (line IS NULL OR line = 0 OR status <> 'discarded')
        AND ({in_no_open_flow})
        AND (executor IN (SELECT value FROM json_each(?2))) = ?3
    ORDER BY finished_at, id
    LIMIT 0 + ?5
)
-- Of those that have steps, the number: their steps are deleted with them. A flow is deleted with its last job.
RETURNING CASE WHEN marks & {steps} <> 0 THEN id END AS with_steps, flow
