-- Runs of one lease whose numbers follow each other, as most do: nothing is looked up or listed first, which takes two
-- thirds of the time of complete_alike.sql. The caller makes sure that it has changed all of them.
UPDATE OR ROLLBACK rexecutor_jobs
SET status = 'complete', node = NULL, completed_at = ?
WHERE id BETWEEN ? AND ? AND lease = ? AND status = 'executing' AND cancel_reason IS NULL
