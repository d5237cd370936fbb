INSERT INTO rexecutor_schedules (key, last_tick_at)
SELECT value, ?1 FROM json_each(?2)
WHERE TRUE
ON CONFLICT (key) DO NOTHING
