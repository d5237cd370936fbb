SELECT key, last_tick_at FROM {schema}.schedules WHERE key = ANY ($1)
