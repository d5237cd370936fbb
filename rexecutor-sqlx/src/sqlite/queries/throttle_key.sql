-- Nothing of the key ?2 of the executor ?1 is to be claimed before ?3, in nanoseconds since 1970; the longest time holds.
INSERT INTO rexecutor_key_buckets (executor, key, held_until) VALUES (?1, ?2, ?3)
ON CONFLICT (executor, key) DO UPDATE
SET held_until = max(coalesce(held_until, 0), excluded.held_until)
