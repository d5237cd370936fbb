-- Makes rows for entries that have none, so that they can be locked.
INSERT INTO {schema}.schedule_entries (name, last_at, entry)
SELECT name, clock_timestamp(), '' FROM unnest($1::TEXT []) AS new (name)
ORDER BY name
ON CONFLICT (name) DO NOTHING
