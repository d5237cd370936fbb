-- $1 the test clock's time, $2 before which number, $3 who, $4 what, $5 and $6 of which thing, $7 of whose jobs, each NULL for any; $8 how
-- many rows are looked at, $9 how many are given. One of the three looks finds rows, by an index of its own.
-- A row for the present, if there is nothing else.
WITH present AS MATERIALIZED (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS now),
looked AS MATERIALIZED (
    (
        SELECT each.id, each.kept_until, each.who, each.action, each.kind, each.object, each.executor
        FROM {schema}.audit AS each
        WHERE $5::TEXT IS NOT NULL AND each.kind = $5::TEXT AND each.object = $6::TEXT AND each.id < $2::BIGINT
        ORDER BY each.id DESC
        LIMIT $8::BIGINT
    )
    UNION ALL
    (
        SELECT each.id, each.kept_until, each.who, each.action, each.kind, each.object, each.executor
        FROM {schema}.audit AS each
        WHERE $5::TEXT IS NULL AND $3::TEXT IS NOT NULL AND each.who = $3::TEXT AND each.id < $2::BIGINT
        ORDER BY each.id DESC
        LIMIT $8::BIGINT
    )
    UNION ALL
    (
        SELECT each.id, each.kept_until, each.who, each.action, each.kind, each.object, each.executor
        FROM {schema}.audit AS each
        WHERE $5::TEXT IS NULL AND $3::TEXT IS NULL AND each.id < $2::BIGINT
        ORDER BY each.id DESC
        LIMIT $8::BIGINT
    )
),
found AS (
    SELECT looked.id FROM looked
    WHERE looked.kept_until > (SELECT present.now FROM present)
        AND ($3::TEXT IS NULL OR looked.who = $3::TEXT)
        AND ($4::TEXT IS NULL OR looked.action = $4::TEXT)
        AND ($5::TEXT IS NULL OR (looked.kind = $5::TEXT AND looked.object = $6::TEXT))
        AND ($7::TEXT [] IS NULL OR looked.executor = ANY ($7::TEXT []))
    ORDER BY looked.id DESC
    LIMIT $9::BIGINT
)
SELECT
    present.now, whole.rows, whole.last, audit.id, audit.at, audit.kept_until, audit.who, audit.via, audit.action, audit.kind,
    audit.object, audit.executor, audit.error, audit.was, audit.became
FROM present
CROSS JOIN (SELECT count(*) AS rows, min(looked.id) AS last FROM looked) AS whole
LEFT JOIN found ON TRUE
LEFT JOIN {schema}.audit AS audit ON audit.id = found.id
ORDER BY found.id DESC
