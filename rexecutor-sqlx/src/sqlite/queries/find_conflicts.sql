-- For each [key, statuses, start]: the newest job with this key, in one of these statuses, inserted after the start.
SELECT
    (
        SELECT max(id) FROM rexecutor_jobs
        WHERE unique_key = unhex(request.value ->> 0)
            AND status IN (SELECT value FROM json_each(request.value -> 1))
            AND inserted_at > request.value ->> 2
    )
FROM json_each(?1) AS request
ORDER BY request.key
