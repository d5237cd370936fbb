-- Tasks of a flow that have ended, or whose jobs were deleted, and of which those behind them were not told.
SELECT task.job
FROM rexecutor_tasks AS task
LEFT JOIN rexecutor_jobs AS job ON job.id = task.job
WHERE task.flow = ?1 AND task.told IS NULL AND (job.id IS NULL OR job.status IN ('complete', 'cancelled', 'discarded'))
LIMIT 0 + ?2
