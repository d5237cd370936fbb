SELECT id FROM {schema}.jobs WHERE id = ANY ($1)
