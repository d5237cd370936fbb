-- $1 the test clock's time, $2 the step that is asked for, $3 how many microseconds it goes back, $4 which executors, NULL for all. A row
-- for the present, if there is nothing else.
SELECT present.now, kept.at, kept.executor, kept.ended, kept.run, kept.wait
FROM (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS now) AS present
LEFT JOIN {schema}.history AS kept
    ON kept.step = ANY (ARRAY['minute', 'hour', 'day'])
        AND kept.at >= date_trunc($2::TEXT, present.now - $3::BIGINT * INTERVAL '1 microsecond', 'UTC')
        AND ($4::TEXT [] IS NULL OR kept.executor = ANY ($4::TEXT []))
