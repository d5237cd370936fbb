SELECT last_tick_at FROM rexecutor_schedules WHERE key = ?1
