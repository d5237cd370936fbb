-- About which executors anything is to be kept to, and whether that is a limit.
SELECT executor, bool_or(is_limited) AS is_limited
FROM (
    SELECT executor, FALSE AS is_limited FROM {schema}.controls
    UNION ALL
    SELECT executor, TRUE FROM {schema}.declared_limits
) AS known
GROUP BY executor
