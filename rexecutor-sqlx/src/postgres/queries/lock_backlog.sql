-- Keeps others from counting, or taking places, before the transaction ends: $1 the test clock's time, $2 the executor, $3 how many
-- may wait. The age is NULL where nothing was counted yet.
INSERT INTO {schema}.backlogs AS known (executor, max_pending, room, counted_at)
VALUES ($2, $3, 0, '-infinity')
ON CONFLICT (executor) DO UPDATE SET executor = excluded.executor
RETURNING
    known.room, known.max_pending,
    CASE
        WHEN isfinite(known.counted_at) THEN
            (extract(EPOCH FROM coalesce($1::TIMESTAMPTZ, clock_timestamp()) - known.counted_at) * 1000000)::BIGINT
    END AS age
