-- $1 the test clock's time, $2 the copy, $3 up to which number jobs may be the source's; NULL: as before.
UPDATE {schema}.copies
SET finished_at = coalesce($1::TIMESTAMPTZ, clock_timestamp()), reserved_to = coalesce($3, reserved_to)
WHERE token = $2
