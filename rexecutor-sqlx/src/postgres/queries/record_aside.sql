-- Jobs, $1, that this transaction has set aside for these tags, $2, and when they were due, $3.
INSERT INTO {schema}.aside AS known (job, tag, due_at)
SELECT job, tag, due_at FROM unnest($1::BIGINT [], $2::TEXT [], $3::TIMESTAMPTZ []) AS new (job, tag, due_at)
ON CONFLICT (job) DO UPDATE SET tag = excluded.tag, due_at = excluded.due_at
