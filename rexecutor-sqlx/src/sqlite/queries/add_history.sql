-- ?1 a step; ?2 [when it began, executor, how runs ended, how many, how long they ran, and had waited] of each.
INSERT INTO rexecutor_history (step, at, executor, ended, runs, run, wait)
SELECT ?1, new.value ->> 0, new.value ->> 1, new.value ->> 2, new.value ->> 3, new.value -> 4, new.value -> 5
FROM json_each(?2) AS new
WHERE TRUE
ON CONFLICT (step, at, executor, ended) DO UPDATE SET
    runs = runs + excluded.runs,
    run = (
        SELECT json_group_array(bucket.count)
        FROM (
            SELECT sum(times.value) AS count
            FROM (SELECT rexecutor_history.run AS counts UNION ALL SELECT excluded.run) AS both
            CROSS JOIN json_each(both.counts) AS times
            GROUP BY times.key
            ORDER BY times.key
        ) AS bucket
    ),
    wait = (
        SELECT json_group_array(bucket.count)
        FROM (
            SELECT sum(times.value) AS count
            FROM (SELECT rexecutor_history.wait AS counts UNION ALL SELECT excluded.wait) AS both
            CROSS JOIN json_each(both.counts) AS times
            GROUP BY times.key
            ORDER BY times.key
        ) AS bucket
    )
