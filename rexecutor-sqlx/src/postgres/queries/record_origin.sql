INSERT INTO {schema}.origin (cluster, database) VALUES ($1, $2)
ON CONFLICT DO NOTHING
