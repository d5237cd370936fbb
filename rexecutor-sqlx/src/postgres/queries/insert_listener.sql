-- $1 the executors that it listens for; NULL: all; $2 for how long it counts as one. Gives its number, whether it is the only one, and the
-- number of a row that all events after this one are above, and that of the last job: the database's own time counts, also where jobs go by a test clock.
WITH gone AS (
    DELETE FROM {schema}.listeners WHERE until_at <= clock_timestamp()
),
others AS MATERIALIZED (
    SELECT count(*) AS count FROM {schema}.listeners WHERE until_at > clock_timestamp()
),
start AS (
    INSERT INTO {schema}.events (at, kind, executor, attempt)
    VALUES (clock_timestamp(), 'listens', '', 0)
    RETURNING id
)
INSERT INTO {schema}.listeners (until_at, executors, seen)
SELECT clock_timestamp() + $2::INTERVAL, $1::TEXT [], start.id
FROM start
RETURNING
    id, seen, (SELECT count = 0 FROM others) AS is_first,
    (SELECT coalesce(max(jobs.id), 0) FROM {schema}.jobs) AS last_job
