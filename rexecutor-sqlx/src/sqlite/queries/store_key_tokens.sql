-- When the bucket of the key ?2 of the executor ?1 is full again.
INSERT INTO rexecutor_key_buckets (executor, key, full_at) VALUES (?1, ?2, ?3)
ON CONFLICT (executor, key) DO UPDATE SET full_at = excluded.full_at
