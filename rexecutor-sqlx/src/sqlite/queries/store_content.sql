-- What an update and a unique job that replaces another change.
UPDATE rexecutor_jobs
SET
    priority = ?2,
    max_attempts = ?3,
    scheduled_at = ?4,
    tags = ?5,
    metadata = ?6,
    data = ?7,
    unique_key = ?8,
    extras = nullif(json_patch(coalesce(extras, '{}'), ?9), '{}'),
    group_key = ?10
WHERE id = ?1
