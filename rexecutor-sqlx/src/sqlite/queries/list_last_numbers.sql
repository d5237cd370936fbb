-- The last numbers that were given out. A table has no row here before its first.
SELECT
    coalesce(max(CASE name WHEN 'rexecutor_jobs' THEN seq END), 0) AS jobs,
    coalesce(max(CASE name WHEN 'rexecutor_nodes' THEN seq END), 0) AS nodes,
    coalesce(max(CASE name WHEN 'rexecutor_flows' THEN seq END), 0) AS flows,
    coalesce(max(CASE name WHEN 'rexecutor_audit' THEN seq END), 0) AS audit
FROM sqlite_sequence
