INSERT INTO {schema}.migrations (version, name, oldest_program) VALUES ($1, $2, $3)
