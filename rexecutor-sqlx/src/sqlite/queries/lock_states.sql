-- All but what a change of status does not need.
SELECT
    {states}
FROM rexecutor_jobs
WHERE id IN (SELECT value FROM json_each(?1))
ORDER BY id
