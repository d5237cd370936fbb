-- Those of these jobs that are not finished.
SELECT id FROM {schema}.jobs
WHERE id = ANY ($1) AND status NOT IN ('complete', 'cancelled', 'discarded')
