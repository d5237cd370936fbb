-- What an update, and a unique job that replaces another, change.
UPDATE {schema}.jobs
SET data = $2, metadata = $3, max_attempts = $4, priority = $5, tags = $6, scheduled_at = $7, unique_key = $8,
    group_key = $9
WHERE id = $1
