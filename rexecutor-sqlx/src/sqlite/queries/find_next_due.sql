SELECT min(scheduled_at) FROM rexecutor_jobs
WHERE executor = ?1 AND priority = ?2 AND status IN ('scheduled', 'retryable') AND scheduled_at > ?3
