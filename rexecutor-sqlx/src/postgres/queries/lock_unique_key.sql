-- lock_unique_keys for one.
INSERT INTO {schema}.unique_keys (key) VALUES ($1)
ON CONFLICT (key) DO UPDATE SET key = excluded.key
