-- Completed jobs that are not kept, as in complete_ranges.sql.
DELETE FROM rexecutor_jobs
WHERE id BETWEEN ? AND ?
    AND (+id BETWEEN ? AND ? OR +id BETWEEN ? AND ? OR +id BETWEEN ? AND ? OR +id BETWEEN ? AND ?)
    AND lease = ? AND status = 'executing' AND marks IS NULL
