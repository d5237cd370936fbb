-- ?1 what the clock shows, ?2 what it was last known to show before it was set back: breakers stay open no longer for it.
UPDATE rexecutor_breakers
SET open_until = ?1 + max(open_until - ?2, 0), opened_at = min(opened_at, ?1)
-- One whose pause began before what the clock shows now was moved already, or is over.
WHERE opened_at IS NOT NULL AND open_until - pause > ?1
RETURNING executor
