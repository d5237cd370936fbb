-- All but what a change of status does not need.
SELECT
    {states},
    coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS now
FROM {schema}.jobs
WHERE id = ANY ($2)
ORDER BY id
FOR UPDATE
