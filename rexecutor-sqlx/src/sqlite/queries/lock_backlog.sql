-- Writes first, so that a transaction which has only begun takes the lock for it.
INSERT INTO rexecutor_backlogs (executor, max_pending, room, counted_at) VALUES (?1, ?2, 0, ?3)
ON CONFLICT (executor) DO UPDATE SET room = room
RETURNING room, max_pending, counted_at
