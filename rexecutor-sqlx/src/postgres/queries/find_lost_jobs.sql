-- Looks again at what is locked now, with a new snapshot: a row may have been claimed by a node that has just joined.
SELECT
    {states},
    coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS now
FROM {schema}.jobs
WHERE id = ANY ($2) AND status = 'executing' AND NOT EXISTS (SELECT FROM {schema}.nodes WHERE nodes.id = jobs.node)
ORDER BY id
