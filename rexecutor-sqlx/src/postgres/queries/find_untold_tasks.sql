-- Tasks of these flows that have ended, or whose jobs were deleted, and of which those behind them were not told.
SELECT task.flow, task.job
FROM {schema}.tasks AS task
LEFT JOIN {schema}.jobs AS job ON job.id = task.job
WHERE task.flow = ANY ($1) AND task.told IS NULL
    AND (job.id IS NULL OR job.status IN ('complete', 'cancelled', 'discarded'))
LIMIT $2
