-- $1 the test clock's time, $2 and $3 the copy and its run, $4 whether it is to have all that the source has, $5 what this database is called
-- by, $6 and $7 between which numbers the source's jobs keep theirs. The last three are as they were if they were given before.
INSERT INTO {schema}.copies AS known (token, is_source, run, begun_at, is_whole, target, reserved_from, reserved_to)
VALUES ($2, FALSE, $3, coalesce($1::TIMESTAMPTZ, clock_timestamp()), $4, $5, $6, $7)
ON CONFLICT (token) DO UPDATE SET run = excluded.run
WHERE NOT known.is_source AND known.run < excluded.run
RETURNING target, is_whole, finished_at IS NOT NULL AS is_finished, reserved_from, reserved_to
