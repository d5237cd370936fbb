-- What a unique job may take the place of.
SELECT status, max_attempts, priority, scheduled_at, inserted_at, tags, data, metadata, group_key FROM rexecutor_jobs WHERE id = ?1
