INSERT INTO {schema}.nodes (label, program, timeout, seen_at, joined_at, about)
SELECT $2, $3, $4, present.now, present.now, $5
FROM (SELECT (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp())) AS now) AS present
RETURNING id
