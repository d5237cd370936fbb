-- $1 the test clock's time. The tags that are paused, and those that were and may have jobs yet that were set aside for them. Those that
-- are paused stay so until the transaction ends.
WITH held AS MATERIALIZED (
    SELECT tag, paused_until FROM {schema}.tag_pauses
    WHERE NOT is_over AND (paused_until IS NULL OR paused_until > (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp())))
    ORDER BY tag
    FOR SHARE
)
SELECT stored.tag, held.paused_until, held.tag IS NOT NULL AS holds, (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp())) AS now
FROM {schema}.tag_pauses AS stored
LEFT JOIN held ON held.tag = stored.tag
ORDER BY stored.tag
