-- Numbers are given in the order of the rows that come in. Times are computed here, because it is this clock that counts.
-- What few jobs have comes as a JSON object, or not at all.
WITH inserted AS (
    INSERT INTO {schema}.jobs (
        executor, data, metadata, max_attempts, priority, tags, scheduled_at, inserted_at, unique_key,
        {extra_columns}
    )
    SELECT
        new.executor, new.data, new.metadata, new.max_attempts, new.priority,
        CASE WHEN new.tags IS NULL THEN '{}' ELSE ARRAY(SELECT json_array_elements_text(new.tags::JSON)) END,
        CASE
            WHEN new.due_at IS NOT NULL THEN new.due_at
            WHEN new.delay IS NOT NULL
                THEN least(present.now + new.delay, greatest(present.now, '9999-12-31 00:00:00+00'))
            ELSE present.now
        END,
        present.now,
        new.unique_key,
        {extra_values}
    FROM (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS now OFFSET 0) AS present
    CROSS JOIN unnest(
        $2::TEXT [], $3::TEXT [], $4::TEXT [], $5::INTEGER [], $6::INTEGER [], $7::TEXT [], $8::TIMESTAMPTZ [],
        $9::INTERVAL [], $10::BYTEA [], $11::TEXT []
    ) WITH ORDINALITY AS new (
        executor, data, metadata, max_attempts, priority, tags, due_at, delay, unique_key, extras, place
    )
    ORDER BY new.place
    RETURNING id
)
-- One value comes back sooner than a row for each.
SELECT array_agg(id) AS ids FROM inserted
