-- What is executing: of the executor ?1, or of all; on the nodes with the label ?2, or on all.
SELECT executor, id FROM rexecutor_jobs INDEXED BY rexecutor_jobs_executing
WHERE status = 'executing'
    AND (?1 IS NULL OR executor = ?1)
    AND (?2 IS NULL OR node IN (SELECT id FROM rexecutor_nodes WHERE label = ?2))
ORDER BY id
