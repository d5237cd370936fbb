SELECT flow, status, count(*) AS jobs
FROM {schema}.jobs
WHERE flow = ANY ($1)
GROUP BY flow, status
