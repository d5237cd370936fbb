-- What is executing: of the executor $1, or of all; on the nodes with the label $2, or on all; with the tag $3, or all.
SELECT job.executor, job.id FROM {schema}.jobs AS job
WHERE job.status = 'executing'
    AND ($1::TEXT IS NULL OR job.executor = $1)
    AND ($2::TEXT IS NULL OR job.node IN (SELECT node.id FROM {schema}.nodes AS node WHERE node.label = $2))
    AND ($3::TEXT IS NULL OR job.tags @> ARRAY[$3::TEXT])
ORDER BY job.id
