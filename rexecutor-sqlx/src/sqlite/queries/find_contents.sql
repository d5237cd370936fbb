-- What find_due.sql has left out of heavy rows.
SELECT id, metadata, data FROM rexecutor_jobs
WHERE id IN (SELECT value FROM json_each(?))
