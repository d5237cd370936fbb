-- ?1: a key. Jobs with this key, the newest first.
SELECT id FROM rexecutor_jobs WHERE unique_key = ?1 ORDER BY id DESC
