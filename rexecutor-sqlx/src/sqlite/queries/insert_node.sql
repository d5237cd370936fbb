-- ?1: words for people, ?2: the timeout, ?3: now.
INSERT INTO rexecutor_nodes (label, timeout, seen_at) VALUES (?1, ?2, ?3) RETURNING id
