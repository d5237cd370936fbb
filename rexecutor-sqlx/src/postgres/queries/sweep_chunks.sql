-- What belongs to jobs that are gone. Nothing of it is deleted with them: that would cost each job a look.
DELETE FROM {schema}.chunks
WHERE (job, lease, number) IN (
    SELECT chunks.job, chunks.lease, chunks.number FROM {schema}.chunks
    WHERE NOT EXISTS (SELECT FROM {schema}.jobs WHERE jobs.id = chunks.job)
    ORDER BY chunks.job, chunks.lease, chunks.number
    LIMIT 10000
)
