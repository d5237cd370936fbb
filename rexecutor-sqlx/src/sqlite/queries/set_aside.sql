-- These jobs, the JSON array ?1, are set aside.
UPDATE rexecutor_jobs SET scheduled_at = {aside} WHERE id IN (SELECT value FROM json_each(?1)) AND {pending}
