-- At ?1.
SELECT label FROM rexecutor_nodes WHERE seen_at + timeout >= ?1 ORDER BY id
