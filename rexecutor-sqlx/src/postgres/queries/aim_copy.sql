-- The jobs that are on their way from now on go to $2, unless some are on their way to another database.
UPDATE {schema}.copies SET target = $2
WHERE token = $1 AND (target = $2 OR NOT EXISTS (SELECT FROM {schema}.outgoing WHERE outgoing.token = $1))
