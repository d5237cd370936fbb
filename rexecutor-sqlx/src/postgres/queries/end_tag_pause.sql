-- Ends the pause of a tag, $2, by hand; the jobs that were set aside for it are taken back by the next claims. Whether it still held.
UPDATE {schema}.tag_pauses AS stored
SET is_over = TRUE
FROM {schema}.tag_pauses AS before
WHERE stored.tag = $2 AND before.tag = stored.tag AND NOT before.is_over
RETURNING before.paused_until IS NULL OR before.paused_until > coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS held
