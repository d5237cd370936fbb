INSERT INTO rexecutor_nodes (label, program, timeout, seen_at) VALUES (?1, ?2, ?3, ?4)
