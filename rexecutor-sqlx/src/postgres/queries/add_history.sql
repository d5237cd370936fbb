-- $1 the test clock's time; of each tally $2 how many microseconds ago it was, $3 the executor, $4 how its runs ended, $5 how many there
-- are, $6 and $7 how long they ran and had waited, as texts of arrays. Those of one executor and end differ by a minute at least. In the
-- order of the key, so that two of these do not wait for each other.
INSERT INTO {schema}.history AS old (step, at, executor, ended, runs, run, wait)
SELECT
    'minute',
    date_trunc('minute', coalesce($1::TIMESTAMPTZ, clock_timestamp()) - tally.age * INTERVAL '1 microsecond', 'UTC') AS at,
    tally.executor,
    tally.ended,
    tally.runs,
    tally.run::BIGINT [],
    tally.wait::BIGINT []
FROM unnest($2::BIGINT [], $3::TEXT [], $4::TEXT [], $5::BIGINT [], $6::TEXT [], $7::TEXT [])
    AS tally (age, executor, ended, runs, run, wait)
ORDER BY at, tally.executor COLLATE "C", tally.ended COLLATE "C"
ON CONFLICT (step, at, executor, ended) DO UPDATE SET
    runs = old.runs + excluded.runs,
    run = ARRAY(
        SELECT coalesce(bucket.one, 0) + coalesce(bucket.two, 0)
        FROM unnest(old.run, excluded.run) WITH ORDINALITY AS bucket (one, two, place)
        ORDER BY bucket.place
    ),
    wait = ARRAY(
        SELECT coalesce(bucket.one, 0) + coalesce(bucket.two, 0)
        FROM unnest(old.wait, excluded.wait) WITH ORDINALITY AS bucket (one, two, place)
        ORDER BY bucket.place
    )
