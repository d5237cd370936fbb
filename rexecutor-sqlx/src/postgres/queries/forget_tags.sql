-- Forgets these tags, $1, whose pauses are over, if no job is set aside for them any more. A statement of its own after those before: it
-- sees what all claims have set aside that have heeded the pauses.
DELETE FROM {schema}.tag_pauses AS stored
WHERE stored.tag = ANY ($1) AND NOT EXISTS (SELECT FROM {schema}.aside WHERE aside.tag = stored.tag)
