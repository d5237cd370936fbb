INSERT INTO rexecutor_nodes (label, program, timeout, seen_at, joined_at, about) VALUES (?1, ?2, ?3, ?4, ?4, ?5)
