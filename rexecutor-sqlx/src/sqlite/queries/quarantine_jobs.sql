-- For a row that cannot be read: nothing in it is used.
UPDATE rexecutor_jobs
SET status = 'discarded', node = NULL, marks = nullif(marks & {steps}, 0), finished_at = ?2
WHERE id = ?1
