UPDATE {schema}.copies SET last_job = greatest(last_job, $2) WHERE token = $1
