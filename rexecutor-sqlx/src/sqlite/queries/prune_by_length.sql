-- The newest job that is one too many, counted from the newest; all that finished before it go with it. Jobs that halt a line are
-- left to whoever lets it go on, those of a flow until it has ended, and neither counts.
WITH surplus (finished_at, id) AS (
    SELECT finished_at, id FROM rexecutor_jobs
    WHERE status = ?1 AND (status = 'complete' OR status = 'cancelled' OR status = 'discarded')
        AND (executor IN (SELECT value FROM json_each(?2))) = ?3
        AND (line IS NULL OR line = 0 OR status <> 'discarded')
        AND ({in_no_open_flow})
    ORDER BY finished_at DESC, id DESC
    LIMIT 1 OFFSET 0 + ?4
)
DELETE FROM rexecutor_jobs
WHERE id IN (
    SELECT id FROM rexecutor_jobs
    WHERE status = ?1 AND (status = 'complete' OR status = 'cancelled' OR status = 'discarded')
        AND (finished_at, id) <= (SELECT finished_at, id FROM surplus)
        AND (executor IN (SELECT value FROM json_each(?2))) = ?3
        AND (line IS NULL OR line = 0 OR status <> 'discarded')
        AND ({in_no_open_flow})
    ORDER BY finished_at, id
    LIMIT 0 + ?5
)
-- Of those that have steps, the number: their steps are deleted with them. A flow is deleted with its last job.
RETURNING CASE WHEN marks & {steps} <> 0 THEN id END AS with_steps, flow
