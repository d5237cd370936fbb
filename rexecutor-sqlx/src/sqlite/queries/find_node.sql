-- ?1: a node.
SELECT id FROM rexecutor_nodes WHERE id = ?1
