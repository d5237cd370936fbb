UPDATE rexecutor_nodes SET is_outdated = 0 WHERE id = ?1
