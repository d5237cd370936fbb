-- How many jobs of an executor may run at once, as a node says, if it is a member.
INSERT INTO rexecutor_declared_limits (executor, node, max_running)
SELECT ?2, id, ?3 FROM rexecutor_nodes WHERE id = ?1
ON CONFLICT (executor, node) DO UPDATE SET max_running = excluded.max_running
