-- One row at least, if the node is a member; then also what it runs, and whether somebody asked it to stop, and a row for
-- each other member.
WITH renewed AS (
    UPDATE {schema}.nodes SET seen_at = coalesce($1::TIMESTAMPTZ, clock_timestamp()), beats = beats + 1 WHERE id = $2
    RETURNING id
)
SELECT
    jobs.id,
    jobs.lease,
    coalesce(jobs.marks, 0) & {stopping} <> 0 AS is_cancelled,
    NULL::BIGINT AS member,
    NULL::BIGINT AS beats,
    NULL::INTERVAL AS timeout
FROM renewed
LEFT JOIN {schema}.jobs ON jobs.status = 'executing' AND jobs.node = $2
UNION ALL
SELECT NULL, NULL, NULL, nodes.id, nodes.beats, nodes.timeout
FROM renewed
JOIN {schema}.nodes ON nodes.id <> renewed.id
ORDER BY id, member
