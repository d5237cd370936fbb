-- The newest other job with a key, in one of these statuses, inserted between the start and the end.
SELECT max(id) FROM rexecutor_jobs
WHERE unique_key = ?1 AND status IN (SELECT value FROM json_each(?2)) AND inserted_at > ?3 AND inserted_at < ?4 AND id <> ?5
