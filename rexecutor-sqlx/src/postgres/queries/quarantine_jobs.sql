-- For unreadable rows: nothing in them is used. array_append fails for an array of several dimensions, so that is flattened.
WITH told AS (
    UPDATE {schema}.jobs
    SET
        status = 'discarded', node = NULL, marks = nullif(marks & {steps}, 0), finished_at = coalesce($1::TIMESTAMPTZ, clock_timestamp()),
        errors = array_append(
            CASE WHEN array_ndims(jobs.errors) > 1 THEN ARRAY(SELECT unnest(jobs.errors)) ELSE jobs.errors END,
            broken.error
        )
    FROM unnest($2::BIGINT [], $3::TEXT []) AS broken (id, error)
    WHERE jobs.id = broken.id
    RETURNING jobs.id, jobs.executor, jobs.finished_at, broken.error
)
{tell}
SELECT told.finished_at, 'discarded', told.id, told.executor, 0, '{}', NULL, NULL, told.error, NULL
FROM told
WHERE {heard}
