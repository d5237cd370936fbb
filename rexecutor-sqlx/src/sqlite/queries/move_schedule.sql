-- ?1: the key, ?2: the tick. Of all who try, one moves it.
INSERT INTO rexecutor_schedules (key, last_tick) VALUES (?1, ?2)
ON CONFLICT (key) DO UPDATE SET last_tick = excluded.last_tick WHERE last_tick < excluded.last_tick
