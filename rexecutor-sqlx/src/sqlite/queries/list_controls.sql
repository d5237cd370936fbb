-- About which executors anything is to be kept to at ?2, and whether that is a limit.
SELECT executor, 0 AS is_limited FROM rexecutor_controls WHERE paused_until IS NULL OR paused_until > ?2
UNION ALL
SELECT executor, 0 FROM rexecutor_limits WHERE throttled_until > ?2
UNION ALL
SELECT executor, 1 FROM rexecutor_breakers WHERE opened_at IS NOT NULL
UNION ALL
-- Jobs of any executor may have a tag.
SELECT '', 0 FROM rexecutor_tag_pauses
UNION ALL
SELECT executor, 1 FROM rexecutor_declared_limits
UNION ALL
SELECT executor, 1 FROM rexecutor_set_limits
ORDER BY is_limited
