-- find_ended_flows among all that have not ended, with higher numbers than ?2.
SELECT id
FROM rexecutor_flows
WHERE id > ?2 AND finished_at IS NULL AND ({may_have_ended})
ORDER BY id
LIMIT 0 + ?1
