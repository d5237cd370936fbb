-- For rows that cannot be read: nothing in them is used.
UPDATE {schema}.jobs
SET
    status = 'discarded', node = NULL, marks = NULL, completed_at = NULL, cancelled_at = NULL,
    discarded_at = coalesce($1::TIMESTAMPTZ, clock_timestamp()), errors = array_append(jobs.errors, broken.error)
FROM unnest($2::BIGINT [], $3::TEXT []) AS broken (id, error)
WHERE jobs.id = broken.id
