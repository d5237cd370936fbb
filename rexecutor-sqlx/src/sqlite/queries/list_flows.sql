-- ?1 1: those that have not ended, 0: those that have, NULL: all; ?2 before which number, ?3 how many. One of the three looks finds rows, by
-- an index of its own.
SELECT * FROM (
    SELECT * FROM (
        SELECT each.id, each.inserted_at, each.gone, each.flow
        FROM rexecutor_flows AS each
        WHERE ?1 IS NULL AND each.id < ?2
        ORDER BY each.id DESC
        LIMIT 0 + ?3
    )
    UNION ALL
    SELECT * FROM (
        SELECT each.id, each.inserted_at, each.gone, each.flow
        FROM rexecutor_flows AS each
        WHERE ?1 AND each.finished_at IS NULL AND each.id < ?2
        ORDER BY each.id DESC
        LIMIT 0 + ?3
    )
    UNION ALL
    SELECT * FROM (
        SELECT each.id, each.inserted_at, each.gone, each.flow
        FROM rexecutor_flows AS each
        WHERE NOT ?1 AND each.finished_at IS NOT NULL AND each.id < ?2
        ORDER BY each.id DESC
        LIMIT 0 + ?3
    )
)
ORDER BY id DESC
