-- {filter} is what `filter.rs` writes.
SELECT
    {columns}
FROM rexecutor_jobs
WHERE id > ?1 AND ({filter})
ORDER BY id
LIMIT 0 + ?2
