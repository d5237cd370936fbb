-- insert_jobs for jobs that differ in nothing but their data, as most that come together do: the rest is not sent, and not
-- taken apart, for each of them. $2 executor, $3 metadata, $4 max_attempts, $5 priority, $6 tags, $7 due_at, $8 delay, $9
-- data.
WITH present AS MATERIALIZED (
    SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS now
),
inserted AS (
    INSERT INTO {schema}.jobs (executor, data, metadata, max_attempts, priority, tags, scheduled_at, inserted_at)
    SELECT
        $2::TEXT, new.data, $3::TEXT, $4::INTEGER, $5::INTEGER, $6::TEXT [],
        CASE
            WHEN $7::TIMESTAMPTZ IS NOT NULL THEN $7::TIMESTAMPTZ
            WHEN $8::INTERVAL IS NOT NULL
                THEN least(present.now + $8::INTERVAL, greatest(present.now, '9999-12-31 00:00:00+00'))
            ELSE present.now
        END,
        present.now
    FROM present
    CROSS JOIN unnest($9::TEXT []) WITH ORDINALITY AS new (data, place)
    ORDER BY new.place
    RETURNING id
)
SELECT array_agg(id) AS ids FROM inserted
