-- The oldest program among the nodes that are alive.
SELECT min(program) FROM {schema}.nodes WHERE seen_at + timeout >= coalesce($1::TIMESTAMPTZ, clock_timestamp())
