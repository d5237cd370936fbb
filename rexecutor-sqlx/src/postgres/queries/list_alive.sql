-- $1 the test clock's time.
SELECT nodes.label, present.now
FROM (SELECT (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp())) AS now) AS present
LEFT JOIN {schema}.nodes ON nodes.seen_at + nodes.timeout >= present.now
ORDER BY nodes.id
