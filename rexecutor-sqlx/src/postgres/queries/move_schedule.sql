-- Changes no row when the tick is there already, by its instant or by its local time: whoever changes one has won it.
INSERT INTO {schema}.schedules AS stored (key, last_tick_at, last_local_at) VALUES ($1, $2, $3)
ON CONFLICT (key) DO UPDATE SET last_tick_at = excluded.last_tick_at, last_local_at = excluded.last_local_at
WHERE stored.last_tick_at < excluded.last_tick_at AND coalesce(stored.last_local_at < excluded.last_local_at, TRUE)
