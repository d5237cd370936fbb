-- ?1 since when, ?2 which executors as a JSON array, NULL for all.
SELECT at, executor, ended, run, wait FROM rexecutor_history
WHERE (step = 'minute' OR step = 'hour' OR step = 'day') AND at >= ?1
    AND (?2 IS NULL OR executor IN (SELECT asked.value FROM json_each(?2) AS asked))
