-- For each job, the newest one in its way. One look-up a status: a key may have a long history.
SELECT wanted.place, max(job.id) AS id
FROM unnest($2::BYTEA [], $3::TEXT [], $4::INTERVAL []) WITH ORDINALITY AS wanted (key, statuses, within, place)
CROSS JOIN unnest(string_to_array(wanted.statuses, ',')) AS wanted_status (status)
CROSS JOIN LATERAL (
    SELECT jobs.id FROM {schema}.jobs
    WHERE jobs.unique_key = wanted.key AND jobs.status = wanted_status.status
        AND jobs.inserted_at
            > coalesce((SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp())) - wanted.within, '-infinity')
        AND jobs.inserted_at
            < coalesce((SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp())) + wanted.within + INTERVAL '1 minute', 'infinity')
    ORDER BY jobs.inserted_at DESC, jobs.id DESC
    LIMIT 1
) AS job
GROUP BY wanted.place
