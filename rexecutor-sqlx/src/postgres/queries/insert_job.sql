-- insert_jobs for one, of which everything comes as a number or as text.
INSERT INTO {schema}.jobs (
    executor, data, metadata, max_attempts, priority, tags, scheduled_at, inserted_at, unique_key,
    {extra_columns}
)
SELECT
    $2, $3, $4, $5, $6,
    ARRAY(SELECT json_array_elements_text($7::JSON)),
    CASE
        WHEN $8::TIMESTAMPTZ IS NOT NULL THEN $8::TIMESTAMPTZ
        WHEN $9::BIGINT IS NOT NULL THEN
            least(
                present.now + $9::BIGINT * INTERVAL '1 microsecond', greatest(present.now, '9999-12-31 00:00:00+00')
            )
        ELSE present.now
    END,
    present.now,
    $10,
    {extra_values}
FROM (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS now OFFSET 0) AS present
CROSS JOIN (SELECT $11::TEXT AS extras) AS new
RETURNING id
