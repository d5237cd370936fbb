-- ?1: an executor, ?2: a priority, ?3: now. When the first job that is not due yet becomes so.
SELECT min(scheduled_at) FROM rexecutor_jobs
WHERE executor = ?1 AND priority = ?2 AND status IN ('scheduled', 'retryable') AND scheduled_at > ?3
