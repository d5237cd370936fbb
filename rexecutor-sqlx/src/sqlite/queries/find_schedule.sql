-- ?1: the key.
SELECT last_tick FROM rexecutor_schedules WHERE key = ?1
