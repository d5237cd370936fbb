-- How the jobs of the executor $1 and the key $2 stand: how many run and, of those that run one after another, whose turn it is.
SELECT running.jobs, turn.id, turn.status, kept.full_at, kept.held_until
FROM (
    SELECT count(*) AS jobs, min(id) FILTER (WHERE line IS NOT NULL) AS id
    FROM {schema}.jobs
    WHERE executor = $1 AND group_key = $2 AND status = 'executing'
) AS running
LEFT JOIN LATERAL (
    SELECT running.id, 'executing' AS status
    WHERE running.id IS NOT NULL
    UNION ALL
    (
        SELECT id, status
        FROM {schema}.jobs
        WHERE executor = $1 AND group_key = $2 AND {in_line}
        ORDER BY id
        LIMIT 1
    )
    LIMIT 1
) AS turn ON TRUE
LEFT JOIN {schema}.key_buckets AS kept ON kept.executor = $1 AND kept.key = $2
