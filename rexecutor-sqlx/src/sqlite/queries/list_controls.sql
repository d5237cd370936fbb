-- About which executors anything is to be kept to, and whether that is a limit.
SELECT executor, 0 AS is_limited FROM rexecutor_controls
UNION ALL
SELECT executor, 1 FROM rexecutor_declared_limits
ORDER BY is_limited
