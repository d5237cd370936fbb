-- How the jobs of the executor ?1 and the key ?2 stand: how many run and, of those that run one after another, whose turn it is.
SELECT
    (
        SELECT count(*) FROM rexecutor_jobs INDEXED BY rexecutor_jobs_keyed_executing
        WHERE executor = ?1 AND group_key = ?2 AND status = 'executing'
    ) AS jobs,
    turn.id, turn.status, kept.full_at, kept.held_until
FROM (SELECT 1)
LEFT JOIN (
    SELECT id, status, 0 AS place FROM rexecutor_jobs INDEXED BY rexecutor_jobs_keyed_executing
    WHERE executor = ?1 AND group_key = ?2 AND status = 'executing' AND line IS NOT NULL
    UNION ALL
    SELECT id, status, place
    FROM (
        SELECT id, status, 1 AS place FROM rexecutor_jobs INDEXED BY rexecutor_jobs_line
        WHERE executor = ?1 AND group_key = ?2 AND {in_line}
        ORDER BY id
        LIMIT 1
    )
    ORDER BY place, id
    LIMIT 1
) AS turn
LEFT JOIN rexecutor_key_buckets AS kept ON kept.executor = ?1 AND kept.key = ?2
