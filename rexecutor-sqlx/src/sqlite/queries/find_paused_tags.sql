-- The tags that are paused, and those that were and may have jobs yet that were set aside for them.
SELECT tag, paused_until, is_over FROM rexecutor_tag_pauses
ORDER BY tag
