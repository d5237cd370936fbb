-- What belongs to jobs that are gone. Nothing of it is deleted with them: that would cost each job a look.
DELETE FROM rexecutor_progress
WHERE job IN (
    SELECT job FROM rexecutor_progress
    WHERE NOT EXISTS (SELECT 1 FROM rexecutor_jobs WHERE rexecutor_jobs.id = rexecutor_progress.job)
    ORDER BY job
    LIMIT 10000
)
