-- The tags that are paused, or were until the ends of the pauses.
SELECT '' AS executor, NULL AS label, tag, paused_at, paused_until, paused_by, pause_reason FROM rexecutor_tag_pauses
WHERE NOT is_over
ORDER BY tag
