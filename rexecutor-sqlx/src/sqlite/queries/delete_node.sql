-- ?1: a node.
DELETE FROM rexecutor_nodes WHERE id = ?1
