-- Looks again at what is locked now, with a new snapshot: a row may have been claimed by a node that has just joined.
SELECT
    {states},
    present.now
FROM {schema}.jobs
CROSS JOIN (SELECT (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp())) AS now) AS present
WHERE id = ANY ($2)
    AND CASE status
        WHEN 'executing' THEN NOT EXISTS (SELECT FROM {schema}.nodes WHERE nodes.id = jobs.node)
        ELSE status IN ('blocked', 'scheduled', 'retryable') AND deadline_at <= present.now
    END
ORDER BY id
