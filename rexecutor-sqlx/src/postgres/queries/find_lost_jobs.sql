-- Looks again at what is locked now, with a new snapshot: a row may have been claimed by a node that has just joined.
SELECT
    id, executor, status, '' AS data, NULL::TEXT AS metadata, attempt, max_attempts, priority,
    '{}'::TEXT [] AS tags, NULL::TEXT [] AS errors, lease, node, cancel_reason,
    unique_key, inserted_at, scheduled_at, attempted_at, completed_at, cancelled_at, discarded_at,
    coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS now
FROM {schema}.jobs
WHERE id = ANY ($2) AND status = 'executing' AND NOT EXISTS (SELECT FROM {schema}.nodes WHERE nodes.id = jobs.node)
ORDER BY id
