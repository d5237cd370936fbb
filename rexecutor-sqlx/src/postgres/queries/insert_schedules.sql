INSERT INTO {schema}.schedules (key, last_tick_at)
SELECT key, coalesce($1::TIMESTAMPTZ, clock_timestamp()) FROM unnest($2::TEXT []) AS new (key)
ORDER BY key
ON CONFLICT (key) DO NOTHING
