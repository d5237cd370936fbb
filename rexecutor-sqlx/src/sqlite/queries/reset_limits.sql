DELETE FROM rexecutor_set_limits
WHERE executor = ?1
