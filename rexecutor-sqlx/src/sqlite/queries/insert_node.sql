INSERT INTO rexecutor_nodes (label, timeout, seen_at) VALUES (?1, ?2, ?3)
