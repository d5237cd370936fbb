-- Changes no row when the tick is there already: whoever changes one has won it.
INSERT INTO rexecutor_schedules (key, last_tick_at) VALUES (?1, ?2)
ON CONFLICT (key) DO UPDATE SET last_tick_at = excluded.last_tick_at
WHERE last_tick_at < excluded.last_tick_at
