-- Ends the pause of a tag by hand; the jobs that were set aside for it are taken back by the next claims. Whether it still held at ?2.
UPDATE rexecutor_tag_pauses
SET is_over = 1
WHERE tag = ?1 AND NOT is_over
RETURNING paused_until IS NULL OR paused_until > ?2 AS held
