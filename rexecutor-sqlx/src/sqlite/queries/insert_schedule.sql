INSERT INTO rexecutor_schedules (key, last_tick_at) VALUES (?1, ?2) ON CONFLICT (key) DO NOTHING
