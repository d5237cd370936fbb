-- Jobs that were enqueued here while those up to $1 were copied.
SELECT count(*) AS jobs FROM {schema}.jobs WHERE id > $1
