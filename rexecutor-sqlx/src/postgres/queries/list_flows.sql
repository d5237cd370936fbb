-- $1 the test clock's time, $2 TRUE: those that have not ended, FALSE: those that have, NULL: all; $3 before which number, $4 how many. One
-- of the three looks finds rows, by an index of its own. A row for the present, if there is nothing else.
WITH listed AS MATERIALIZED (
    (
        SELECT each.id, each.inserted_at, each.gone, each.flow
        FROM {schema}.flows AS each
        WHERE $2::BOOLEAN IS NULL AND each.id < $3::BIGINT
        ORDER BY each.id DESC
        LIMIT $4::BIGINT
    )
    UNION ALL
    (
        SELECT each.id, each.inserted_at, each.gone, each.flow
        FROM {schema}.flows AS each
        WHERE $2::BOOLEAN AND each.finished_at IS NULL AND each.id < $3::BIGINT
        ORDER BY each.id DESC
        LIMIT $4::BIGINT
    )
    UNION ALL
    (
        SELECT each.id, each.inserted_at, each.gone, each.flow
        FROM {schema}.flows AS each
        WHERE NOT $2::BOOLEAN AND each.finished_at IS NOT NULL AND each.id < $3::BIGINT
        ORDER BY each.id DESC
        LIMIT $4::BIGINT
    )
)
SELECT present.now, listed.id, listed.inserted_at, listed.gone, listed.flow
FROM (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS now) AS present
LEFT JOIN listed ON TRUE
ORDER BY listed.id DESC
