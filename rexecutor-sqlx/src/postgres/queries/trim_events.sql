-- Deletes some events that every listener has read, and what is too much: $1 how many are kept at most, $2 how many are deleted at most.
-- SKIP LOCKED: another listener deletes them.
WITH bound AS MATERIALIZED (
    SELECT
        coalesce(max(id), 0) AS last,
        (SELECT min(seen) FROM {schema}.listeners WHERE until_at > clock_timestamp()) AS seen
    FROM {schema}.events
)
DELETE FROM {schema}.events
WHERE id = ANY (ARRAY(
    SELECT event.id FROM {schema}.events AS event
    WHERE event.id <= (SELECT greatest(coalesce(seen, last), last - $1::BIGINT) FROM bound)
    ORDER BY event.id
    LIMIT $2::BIGINT
    FOR UPDATE SKIP LOCKED
))
