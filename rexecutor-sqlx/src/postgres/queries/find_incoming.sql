-- Those of the jobs of a source, $2, that have come already.
SELECT job, stored_as FROM {schema}.incoming WHERE token = $1 AND job = ANY ($2)
