SELECT id, lease FROM {schema}.jobs
WHERE status = 'executing' AND node = $1 AND cancel_reason IS NOT NULL
ORDER BY id
