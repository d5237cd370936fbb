-- Tasks of those of these flows that have not ended, which have ended themselves, or whose jobs were deleted, and of which those behind them
-- were not told.
SELECT task.flow, task.job
FROM {schema}.tasks AS task
INNER JOIN {schema}.flows AS flow ON flow.id = task.flow AND flow.finished_at IS NULL
LEFT JOIN {schema}.jobs AS job ON job.id = task.job
WHERE task.flow = ANY ($1) AND task.told IS NULL
    AND (job.id IS NULL OR job.status IN ('complete', 'cancelled', 'discarded'))
LIMIT $2
