-- How many tasks of a flow were skipped. It is asked only where some of its jobs are cancelled.
SELECT count(*) AS skipped
FROM rexecutor_jobs
WHERE flow = ?1 AND status = 'cancelled' AND coalesce(marks, 0) & {skipped} <> 0
