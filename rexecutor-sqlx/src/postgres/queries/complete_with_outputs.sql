-- complete_runs for runs that have given something: $5 what, as JSON; $6 whether the commit is not to wait for the disk. Each row
-- is taken where its claim left it, and joined with its output by that.
UPDATE {schema}.jobs
SET
    status = 'complete', node = NULL, output = run.output,
    -- No run ends before it began, whoever has set the clock.
    finished_at = greatest(coalesce($1::TIMESTAMPTZ, clock_timestamp()), attempted_at)
FROM unnest($2::BIGINT [], $3::BIGINT [], $4::TEXT []::TID [], $5::TEXT []) AS run (id, lease, place, output)
WHERE jobs.ctid = run.place AND jobs.id = run.id AND jobs.lease = run.lease
    AND jobs.status || '' = 'executing' AND jobs.marks IS NULL
    AND (SELECT CASE WHEN $6::BOOLEAN THEN set_config('synchronous_commit', 'off', TRUE) ELSE '' END) IS NOT NULL
RETURNING jobs.id
