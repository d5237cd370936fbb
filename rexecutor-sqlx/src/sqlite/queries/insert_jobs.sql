-- One bound JSON array of arrays: a statement that stays prepared, whatever the number of jobs.
INSERT INTO rexecutor_jobs
    (id, executor, priority, scheduled_at, max_attempts, inserted_at, unique_key, tags, metadata, data)
SELECT
    value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, unhex(value ->> 6), value ->> 7,
    value ->> 8, value ->> 9
FROM json_each(?1)
