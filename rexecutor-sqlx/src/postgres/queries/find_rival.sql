-- The newest other job with a key, in one of these statuses: $2 key, $3 statuses, $4 within, $5 the job that asks.
SELECT max(id) AS id FROM {schema}.jobs
WHERE unique_key = $2 AND status = ANY ($3) AND id <> $5
    AND inserted_at > coalesce((SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp())) - $4::INTERVAL, '-infinity')
    AND inserted_at < coalesce((SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp())) + $4::INTERVAL + INTERVAL '1 minute', 'infinity')
