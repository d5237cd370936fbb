-- One row at least, if the node is a member; then also what it runs, and whether somebody asked it to stop, and a row for
-- each other member. If the clock lies more than a minute behind that of the last heartbeat, what it showed then. And
-- whether anybody listens for events.
WITH before AS (
    SELECT id, seen_at FROM {schema}.nodes WHERE id = $2 FOR UPDATE
),
renewed AS (
    UPDATE {schema}.nodes AS node
    SET seen_at = coalesce($1::TIMESTAMPTZ, clock_timestamp()), beats = node.beats + 1
    FROM before
    WHERE node.id = before.id
    RETURNING node.id, CASE WHEN before.seen_at > node.seen_at + INTERVAL '1 minute' THEN before.seen_at END AS before
)
SELECT
    jobs.id,
    jobs.lease,
    coalesce(jobs.marks, 0) & {stopping} <> 0 AS is_cancelled,
    NULL::BIGINT AS member,
    NULL::BIGINT AS beats,
    NULL::INTERVAL AS timeout,
    renewed.before,
    EXISTS (SELECT FROM {schema}.listeners WHERE until_at > clock_timestamp()) AS is_heard
FROM renewed
LEFT JOIN {schema}.jobs ON jobs.status = 'executing' AND jobs.node = $2
UNION ALL
SELECT NULL, NULL, NULL, nodes.id, nodes.beats, nodes.timeout, NULL, NULL
FROM renewed
JOIN {schema}.nodes ON nodes.id <> renewed.id
ORDER BY id, member
