-- $1 the test clock's time, $2 what this database is to be called by when it is copied from, unless it was before.
INSERT INTO {schema}.copies (token, is_source, run, begun_at, is_whole)
VALUES ($2, TRUE, 0, coalesce($1::TIMESTAMPTZ, clock_timestamp()), FALSE)
ON CONFLICT DO NOTHING
