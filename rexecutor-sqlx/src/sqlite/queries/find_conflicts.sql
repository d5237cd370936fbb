-- For each [key, statuses, start, end]: the newest job with this key, in one of these statuses, inserted between the start and the end.
SELECT
    (
        SELECT max(id) FROM rexecutor_jobs
        WHERE unique_key = unhex(request.value ->> 0)
            AND status IN (SELECT value FROM json_each(request.value -> 1))
            AND inserted_at > request.value ->> 2
            AND inserted_at < request.value ->> 3
    )
FROM json_each(?1) AS request
ORDER BY request.key
