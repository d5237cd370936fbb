-- ?1: the job.
INSERT INTO rexecutor_errors (job, attempt, error_type, details, recorded_at) VALUES (?1, ?2, ?3, ?4, ?5)
