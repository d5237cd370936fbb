-- What belongs to jobs that are gone. Nothing of it is deleted with them: that would cost each job a look.
DELETE FROM rexecutor_chunks
WHERE job IN (
    SELECT DISTINCT job FROM rexecutor_chunks
    WHERE NOT EXISTS (SELECT 1 FROM rexecutor_jobs WHERE rexecutor_jobs.id = rexecutor_chunks.job)
    ORDER BY job
    LIMIT 1000
)
