-- Marks the jobs that are not finished, so that their ends are told.
UPDATE rexecutor_jobs
SET marks = coalesce(marks, 0) | {awaited}
WHERE id IN (SELECT value FROM json_each(?))
    AND status NOT IN ('complete', 'cancelled', 'discarded')
    AND coalesce(marks, 0) & {awaited} = 0
