-- Flows that have had no job since then.
DELETE FROM rexecutor_flows
WHERE id IN (SELECT id FROM rexecutor_flows WHERE is_bare = 1 AND finished_at < ?1 ORDER BY finished_at LIMIT 500)
