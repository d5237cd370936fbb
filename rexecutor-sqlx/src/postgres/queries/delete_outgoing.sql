DELETE FROM {schema}.outgoing WHERE token = $1 AND job = ANY ($2)
