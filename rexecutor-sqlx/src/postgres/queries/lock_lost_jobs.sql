-- Whose node is no member, as far as this statement's snapshot knows. SKIP LOCKED: somebody else decides about the rest.
SELECT id FROM {schema}.jobs
WHERE status = 'executing' AND NOT EXISTS (SELECT FROM {schema}.nodes WHERE nodes.id = jobs.node)
ORDER BY id
LIMIT $1
FOR UPDATE SKIP LOCKED
