-- $1 the test clock's time, $2 what the clock was last known to show before it was set back. It does what `lifecycle::set_back` says to some jobs:
-- what was due is due, and what is to be tried again waits no longer for it. SKIP LOCKED: what is being claimed is due.
WITH present AS MATERIALIZED (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS now)
UPDATE {schema}.jobs AS job
SET
    scheduled_at = CASE
        WHEN job.attempted_at IS NULL THEN least(job.scheduled_at - ($2 - present.now), present.now)
        ELSE job.scheduled_at - (greatest($2, job.attempted_at) - present.now)
    END,
    attempted_at = CASE WHEN job.attempted_at > present.now THEN present.now ELSE job.attempted_at END
FROM present
WHERE job.id = ANY (ARRAY(
    SELECT ahead.id FROM {schema}.jobs AS ahead
    WHERE {pending}
        AND ahead.scheduled_at > (SELECT now FROM present)
        AND CASE
            WHEN ahead.attempted_at IS NULL
                THEN
                    ahead.inserted_at > (SELECT now FROM present)
                    AND ahead.scheduled_at <= greatest($2, ahead.inserted_at)
            ELSE ahead.attempted_at > (SELECT now FROM present) AND ahead.scheduled_at >= ahead.attempted_at
        END
    LIMIT 1000
    FOR UPDATE SKIP LOCKED
))
RETURNING job.executor
