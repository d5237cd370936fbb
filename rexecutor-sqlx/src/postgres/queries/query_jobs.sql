-- {filter} is what `filter.rs` writes.
SELECT {columns}
FROM {schema}.jobs
WHERE id > $1 AND {filter}
ORDER BY id
LIMIT $2
