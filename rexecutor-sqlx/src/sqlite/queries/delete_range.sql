-- Completed jobs that are not kept, as in complete_range.sql.
DELETE FROM rexecutor_jobs
WHERE id BETWEEN ? AND ? AND lease = ? AND status = 'executing' AND cancel_reason IS NULL
