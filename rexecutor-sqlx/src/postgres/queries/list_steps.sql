SELECT kind, name, place, until_at, done_at, output FROM {schema}.steps WHERE job = $1
