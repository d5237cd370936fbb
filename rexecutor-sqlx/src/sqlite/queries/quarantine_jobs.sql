-- For a row that cannot be read: nothing in it is used.
UPDATE rexecutor_jobs
SET status = 'discarded', node = NULL, marks = NULL, completed_at = NULL, cancelled_at = NULL, discarded_at = ?2
WHERE id = ?1
