-- $1 the test clock's time, $2 a step, $3 for how many microseconds it is kept, $4 the next step, NULL for none. Deletes what is older, and
-- adds it to the next step. What another call is moving is left to it, or is gone already. Gives how many rows there were.
WITH old AS (
    DELETE FROM {schema}.history
    WHERE ctid = ANY (ARRAY(
        SELECT kept.ctid FROM {schema}.history AS kept
        WHERE kept.step = $2::TEXT
            AND kept.at < coalesce($1::TIMESTAMPTZ, clock_timestamp()) - $3::BIGINT * INTERVAL '1 microsecond'
        ORDER BY kept.at, kept.executor, kept.ended
        LIMIT 5000
        FOR UPDATE SKIP LOCKED
    ))
    RETURNING date_trunc($4::TEXT, at, 'UTC') AS at, executor, ended, runs, run, wait
),
total AS (
    SELECT old.at, old.executor, old.ended, sum(old.runs)::BIGINT AS runs FROM old
    WHERE $4::TEXT IS NOT NULL
    GROUP BY old.at, old.executor, old.ended
),
bucket AS (
    SELECT
        old.at, old.executor, old.ended, times.place,
        sum(coalesce(times.run, 0))::BIGINT AS run,
        sum(coalesce(times.wait, 0))::BIGINT AS wait
    FROM old
    CROSS JOIN unnest(old.run, old.wait) WITH ORDINALITY AS times (run, wait, place)
    GROUP BY old.at, old.executor, old.ended, times.place
),
moved AS (
    INSERT INTO {schema}.history AS next (step, at, executor, ended, runs, run, wait)
    SELECT
        $4::TEXT, total.at, total.executor, total.ended, total.runs,
        ARRAY(
            SELECT bucket.run FROM bucket
            WHERE (bucket.at, bucket.executor, bucket.ended) = (total.at, total.executor, total.ended)
            ORDER BY bucket.place
        ),
        ARRAY(
            SELECT bucket.wait FROM bucket
            WHERE (bucket.at, bucket.executor, bucket.ended) = (total.at, total.executor, total.ended)
            ORDER BY bucket.place
        )
    FROM total
    ORDER BY total.at, total.executor, total.ended
    ON CONFLICT (step, at, executor, ended) DO UPDATE SET
        runs = next.runs + excluded.runs,
        run = ARRAY(
            SELECT coalesce(bucket.one, 0) + coalesce(bucket.two, 0)
            FROM unnest(next.run, excluded.run) WITH ORDINALITY AS bucket (one, two, place)
            ORDER BY bucket.place
        ),
        wait = ARRAY(
            SELECT coalesce(bucket.one, 0) + coalesce(bucket.two, 0)
            FROM unnest(next.wait, excluded.wait) WITH ORDINALITY AS bucket (one, two, place)
            ORDER BY bucket.place
        )
)
SELECT count(*) AS moved FROM old
