-- lock_unique_keys for the key that a job has, if it has one.
INSERT INTO {schema}.unique_keys AS held (key)
SELECT unique_key FROM {schema}.jobs WHERE id = $1 AND unique_key IS NOT NULL
ON CONFLICT (key) DO UPDATE SET key = excluded.key
RETURNING key
