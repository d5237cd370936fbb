-- How many jobs of an executor wait, up to a limit: what the index of the ready ones knows.
SELECT count(*) AS pending
FROM (SELECT FROM {schema}.jobs WHERE executor = $1 AND {pending} LIMIT $2) AS job
