-- {filter} is what `filter.rs` writes; {within} the status, {beyond} and {direction} the way. The first $3 of the next $2 rows behind $1
-- that may match. The inner query is carried out row by row, as the outer one asks for them.
SELECT {columns}
FROM (
    SELECT * FROM {schema}.jobs
    WHERE {within} AND id {beyond} $1
    ORDER BY id {direction}
    LIMIT $2
) AS jobs
WHERE {filter}
ORDER BY id {direction}
LIMIT $3
