DELETE FROM rexecutor_nodes WHERE seen_at + timeout < ?1
