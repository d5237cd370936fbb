-- find_conflicts for one job: $2 its key, $3 the statuses, $4 within how many microseconds.
SELECT max(job.id) AS id
FROM unnest(string_to_array($3, ',')) AS wanted_status (status)
CROSS JOIN LATERAL (
    SELECT jobs.id FROM {schema}.jobs
    WHERE jobs.unique_key = $2 AND jobs.status = wanted_status.status
        AND jobs.inserted_at > coalesce(
            (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp())) - $4::BIGINT * INTERVAL '1 microsecond', '-infinity'
        )
        AND jobs.inserted_at < coalesce(
            (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp())) + $4::BIGINT * INTERVAL '1 microsecond' + INTERVAL '1 minute', 'infinity'
        )
    ORDER BY jobs.inserted_at DESC, jobs.id DESC
    LIMIT 1
) AS job
