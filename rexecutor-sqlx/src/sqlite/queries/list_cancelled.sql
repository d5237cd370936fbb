-- ?1: a node, or NULL for every node. Running jobs that somebody asked to cancel.
SELECT id, lease FROM rexecutor_jobs
WHERE status = 'executing' AND node IS NOT NULL AND (?1 IS NULL OR node = ?1) AND cancel_reason IS NOT NULL
ORDER BY id
