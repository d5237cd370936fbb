SELECT job, content FROM {schema}.outgoing WHERE token = $1 AND job > $2 ORDER BY job LIMIT $3
