UPDATE rexecutor_nodes SET seen_at = ?2 WHERE id = ?1
