-- ?1: a node, ?2: now. Changes nothing if the node was declared dead.
UPDATE rexecutor_nodes SET seen_at = ?2 WHERE id = ?1
