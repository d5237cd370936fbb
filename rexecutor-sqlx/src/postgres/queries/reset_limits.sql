DELETE FROM {schema}.set_limits
WHERE executor = $1
