-- Whether the pause still held.
DELETE FROM {schema}.node_pauses
WHERE label = $2
RETURNING paused_until IS NULL OR paused_until > coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS held
