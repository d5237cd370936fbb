UPDATE rexecutor_nodes SET seen_at = ?2, beats = beats + 1 WHERE id = ?1
