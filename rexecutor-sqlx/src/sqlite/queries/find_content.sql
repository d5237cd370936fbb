-- What a unique job may take the place of.
SELECT status, max_attempts, priority, scheduled_at, inserted_at, tags, data, metadata FROM rexecutor_jobs WHERE id = ?1
