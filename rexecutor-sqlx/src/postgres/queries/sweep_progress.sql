-- What belongs to jobs that are gone. Nothing of it is deleted with them: that would cost each job a look.
DELETE FROM {schema}.progress
WHERE job IN (
    SELECT progress.job FROM {schema}.progress
    WHERE NOT EXISTS (SELECT FROM {schema}.jobs WHERE jobs.id = progress.job)
    ORDER BY progress.job
    LIMIT 10000
)
