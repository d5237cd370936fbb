-- Jobs that differ in nothing but their data, which are a JSON array of strings.
INSERT INTO rexecutor_jobs
    (id, executor, priority, scheduled_at, max_attempts, inserted_at, unique_key, tags, metadata, data)
SELECT
    1 + key + (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'rexecutor_jobs'),
    ?2, ?3, ?4, ?5, ?6, unhex(?7), ?8, ?9, value
FROM json_each(?1)
