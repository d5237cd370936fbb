DELETE FROM {schema}.steps WHERE job = ANY ($1)
