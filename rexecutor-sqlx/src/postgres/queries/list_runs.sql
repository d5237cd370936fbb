-- What a node runs, and whether somebody asked it to stop.
SELECT id, lease, cancel_reason IS NOT NULL AS is_cancelled FROM {schema}.jobs
WHERE status = 'executing' AND node = $1
ORDER BY id
