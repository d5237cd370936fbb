SELECT EXISTS (SELECT 1 FROM rexecutor_nodes WHERE id = ?1)
