-- One bound JSON array of arrays: a statement that stays prepared, whatever the number of jobs. Their numbers follow the
-- last one that was given out.
INSERT INTO rexecutor_jobs
    (
        id, executor, priority, scheduled_at, max_attempts, inserted_at, unique_key, tags, metadata, data
        {extra_columns}
    )
SELECT
    1 + key + (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'rexecutor_jobs'),
    value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, unhex(value ->> 5), value ->> 6, value ->> 7,
    value ->> 8 {extra_values}
FROM json_each(?1)
