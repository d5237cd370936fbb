DELETE FROM rexecutor_nodes WHERE id = ?1
