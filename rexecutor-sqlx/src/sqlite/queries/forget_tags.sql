-- Forgets these tags, the JSON array ?1, whose pauses are over, if no job is set aside for them any more.
DELETE FROM rexecutor_tag_pauses
WHERE tag IN (SELECT value FROM json_each(?1)) AND NOT EXISTS (SELECT 1 FROM rexecutor_aside WHERE rexecutor_aside.tag = rexecutor_tag_pauses.tag)
