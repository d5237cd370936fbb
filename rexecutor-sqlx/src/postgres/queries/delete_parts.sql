DELETE FROM {schema}.{table} WHERE {job} = ANY ($1)
