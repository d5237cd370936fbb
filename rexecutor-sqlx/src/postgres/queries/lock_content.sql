-- What a unique job may take the place of, as numbers and text.
SELECT
    status,
    max_attempts,
    priority,
    (extract(EPOCH FROM scheduled_at) * 1000000)::BIGINT AS due_micros,
    (extract(EPOCH FROM inserted_at) * 1000000)::BIGINT AS inserted_micros,
    array_to_json(tags)::TEXT AS tags,
    data,
    metadata,
    group_key,
    substring(extras FROM '"weight": ?([0-9]{1,10})')::BIGINT AS weight,
    (extract(EPOCH FROM coalesce($1::TIMESTAMPTZ, clock_timestamp())) * 1000000)::BIGINT AS now
FROM {schema}.jobs
WHERE id = $2
FOR UPDATE
