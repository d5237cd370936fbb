-- Marks the jobs that are not finished, so that their ends are told. What somebody else is changing is left out: an application may
-- hold a row for as long as its transaction likes.
UPDATE {schema}.jobs
SET marks = coalesce(marks, 0) | {awaited}
WHERE id = ANY (ARRAY(
    SELECT job.id
    FROM {schema}.jobs AS job
    WHERE job.id = ANY ($1)
        AND job.status NOT IN ('complete', 'cancelled', 'discarded')
        AND coalesce(job.marks, 0) & {awaited} = 0
    FOR UPDATE SKIP LOCKED
))
