-- Everything that a transition may change but the data and what belongs to them.
UPDATE rexecutor_jobs
SET status = ?2, attempt = ?3, node = ?4, cancel_reason = ?5, scheduled_at = ?6, completed_at = ?7,
    cancelled_at = ?8, discarded_at = ?9
WHERE id = ?1
