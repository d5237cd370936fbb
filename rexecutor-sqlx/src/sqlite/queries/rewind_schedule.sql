-- Changes no row when another node has done it, or has ticked, since the last tick was read.
UPDATE rexecutor_schedules SET last_tick_at = ?3, last_local_at = NULL
WHERE key = ?1 AND last_tick_at = ?2
