INSERT INTO {schema}.steps (job, kind, name, place, until_at, done_at, output) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (job, kind, name) DO UPDATE
SET place = excluded.place, until_at = excluded.until_at, done_at = excluded.done_at, output = excluded.output
