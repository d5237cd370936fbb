-- The first job that has this number or a higher one.
SELECT id, inserted_at FROM {schema}.jobs WHERE id >= $1 ORDER BY id LIMIT 1
