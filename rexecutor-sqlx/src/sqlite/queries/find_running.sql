-- What is executing: of the executor ?1, or of all; on the nodes with the label ?2, or on all; with the tag ?3, or all.
SELECT executor, id FROM rexecutor_jobs INDEXED BY rexecutor_jobs_executing
WHERE status = 'executing'
    AND (?1 IS NULL OR executor = ?1)
    AND (?2 IS NULL OR node IN (SELECT id FROM rexecutor_nodes WHERE label = ?2))
    AND (
        ?3 IS NULL
        OR ?3 IN (SELECT value FROM json_each(CASE WHEN json_valid(rexecutor_jobs.tags) THEN rexecutor_jobs.tags ELSE '[]' END))
    )
ORDER BY id
