-- The oldest program among the nodes that are alive.
SELECT min(program) FROM rexecutor_nodes WHERE seen_at + timeout >= ?1
