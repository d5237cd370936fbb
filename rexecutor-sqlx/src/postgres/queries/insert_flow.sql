INSERT INTO {schema}.flows (inserted_at, watches, flow)
VALUES (coalesce($1::TIMESTAMPTZ, clock_timestamp()), $2, $3)
RETURNING id
