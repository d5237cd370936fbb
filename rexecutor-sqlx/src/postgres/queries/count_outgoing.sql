SELECT count(*) AS jobs, EXISTS (SELECT FROM {schema}.jobs) AS has_jobs FROM {schema}.outgoing
