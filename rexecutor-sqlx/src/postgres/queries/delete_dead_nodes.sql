-- Who has been heard since is not dead.
DELETE FROM {schema}.nodes
USING unnest($1::BIGINT [], $2::BIGINT []) AS dead (id, beats)
WHERE nodes.id = dead.id AND nodes.beats = dead.beats
