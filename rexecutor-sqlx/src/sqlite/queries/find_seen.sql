-- When the node was last heard.
SELECT seen_at FROM rexecutor_nodes WHERE id = ?1
