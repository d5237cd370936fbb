-- complete_with_outputs for jobs that are part of a flow and have no other mark: $5 what they have given, or NULL.
UPDATE {schema}.jobs
SET
    status = 'complete', node = NULL, output = run.output,
    -- No run ends before it began, whoever has set the clock.
    finished_at = greatest(coalesce($1::TIMESTAMPTZ, clock_timestamp()), attempted_at)
FROM unnest($2::BIGINT [], $3::BIGINT [], $4::TEXT []::TID [], $5::TEXT []) AS run (id, lease, place, output)
WHERE jobs.ctid = run.place AND jobs.id = run.id AND jobs.lease = run.lease
    AND jobs.status || '' = 'executing' AND jobs.marks = {member}
    AND (SELECT CASE WHEN $6::BOOLEAN THEN set_config('synchronous_commit', 'off', TRUE) ELSE '' END) IS NOT NULL
RETURNING jobs.id
