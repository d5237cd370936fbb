-- $1 the test clock's time, $2 and $3 the copy and its run, $4 whether it is to have all that the source has, $5 what this database is called
-- by, $6 and $7 between which numbers the source's jobs keep theirs. The last four are as they were if they were given before,
-- but for a whole copy to where only jobs that waited have come.
INSERT INTO {schema}.copies AS known (token, is_source, run, begun_at, is_whole, target, reserved_from, reserved_to)
VALUES ($2, FALSE, $3, coalesce($1::TIMESTAMPTZ, clock_timestamp()), $4, $5, $6, $7)
ON CONFLICT (token) DO UPDATE SET
    run = excluded.run,
    is_whole = known.is_whole OR excluded.is_whole,
    finished_at = CASE WHEN excluded.is_whole AND NOT known.is_whole THEN NULL ELSE known.finished_at END,
    reserved_from = CASE WHEN excluded.is_whole AND NOT known.is_whole THEN excluded.reserved_from ELSE known.reserved_from END,
    reserved_to = CASE WHEN excluded.is_whole AND NOT known.is_whole THEN excluded.reserved_to ELSE known.reserved_to END
WHERE NOT known.is_source AND known.run < excluded.run
RETURNING target, is_whole, finished_at IS NOT NULL AS is_finished, reserved_from, reserved_to
