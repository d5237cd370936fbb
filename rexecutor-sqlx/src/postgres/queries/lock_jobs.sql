-- In the order of their numbers, so that two batches never wait for each other.
SELECT
    {columns},
    coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS now
FROM {schema}.jobs
WHERE id = ANY ($2)
ORDER BY id
FOR UPDATE
