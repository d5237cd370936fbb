UPDATE rexecutor_nodes SET is_outdated = 1 WHERE NOT is_outdated
