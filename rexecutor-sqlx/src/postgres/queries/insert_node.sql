INSERT INTO {schema}.nodes (label, program, timeout, seen_at)
VALUES ($2, $3, $4, coalesce($1::TIMESTAMPTZ, clock_timestamp()))
RETURNING id
