-- Events after number $1, and those that were not committed yet when others after them were read: of the ranges from $2 to $3. $4 how many.
SELECT
    event.id, event.at, event.kind, event.job, event.executor, event.attempt, event.tags, event.node, event.due_at, event.error,
    event.detail, (SELECT max(id) FROM {schema}.events) AS newest
FROM (
    (SELECT * FROM {schema}.events WHERE id > $1 ORDER BY id LIMIT $4::BIGINT)
    UNION ALL
    SELECT late.*
    FROM unnest($2::BIGINT [], $3::BIGINT []) AS gap (first, last)
    INNER JOIN {schema}.events AS late ON late.id BETWEEN gap.first AND gap.last
) AS event
ORDER BY event.id
