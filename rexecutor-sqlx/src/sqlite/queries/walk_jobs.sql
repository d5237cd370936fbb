-- {filter} is what `filter.rs` writes; {within} the status, {beyond} and {direction} the way. The first ?3 of the next ?2 rows behind ?1
-- that may match. The inner query is carried out row by row, as the outer one asks for them, and in its own order.
SELECT
    {columns}
FROM (
    SELECT * FROM rexecutor_jobs
    WHERE {within} AND id {beyond} ?1
    ORDER BY id {direction}
    LIMIT 0 + ?2
) AS rexecutor_jobs
WHERE ({filter})
LIMIT 0 + ?3
