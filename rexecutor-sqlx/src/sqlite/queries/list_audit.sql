-- ?1 the present, ?2 before which number, ?3 who, ?4 what, ?5 and ?6 of which thing, ?7 of whose jobs as a JSON array, each NULL for any; ?8
-- how many rows are looked at, ?9 how many are given. One of the three looks finds rows, by an index of its own.
-- A row without a number, if there is nothing else.
WITH looked AS MATERIALIZED (
    SELECT * FROM (
        SELECT each.id, each.kept_until, each.who, each.action, each.kind, each.object, each.executor
        FROM rexecutor_audit AS each
        WHERE ?5 IS NOT NULL AND each.kind = ?5 AND each.object = ?6 AND each.id < ?2
        ORDER BY each.id DESC
        LIMIT 0 + ?8
    )
    UNION ALL
    SELECT * FROM (
        SELECT each.id, each.kept_until, each.who, each.action, each.kind, each.object, each.executor
        FROM rexecutor_audit AS each
        WHERE ?5 IS NULL AND ?3 IS NOT NULL AND each.who = ?3 AND each.id < ?2
        ORDER BY each.id DESC
        LIMIT 0 + ?8
    )
    UNION ALL
    SELECT * FROM (
        SELECT each.id, each.kept_until, each.who, each.action, each.kind, each.object, each.executor
        FROM rexecutor_audit AS each
        WHERE ?5 IS NULL AND ?3 IS NULL AND each.id < ?2
        ORDER BY each.id DESC
        LIMIT 0 + ?8
    )
),
found AS (
    SELECT looked.id FROM looked
    WHERE looked.kept_until > ?1
        AND (?3 IS NULL OR looked.who = ?3)
        AND (?4 IS NULL OR looked.action = ?4)
        AND (?5 IS NULL OR (looked.kind = ?5 AND looked.object = ?6))
        AND (?7 IS NULL OR looked.executor IN (SELECT asked.value FROM json_each(?7) AS asked))
    ORDER BY looked.id DESC
    LIMIT 0 + ?9
)
SELECT
    whole.rows, whole.last, audit.id, audit.at, audit.kept_until, audit.who, audit.via, audit.action, audit.kind, audit.object,
    audit.executor, audit.error, audit.was, audit.became
FROM (SELECT count(*) AS rows, min(looked.id) AS last FROM looked) AS whole
LEFT JOIN found
LEFT JOIN rexecutor_audit AS audit ON audit.id = found.id
ORDER BY found.id DESC
