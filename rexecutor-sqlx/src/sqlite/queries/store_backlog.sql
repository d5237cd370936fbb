UPDATE rexecutor_backlogs SET max_pending = ?2, room = ?3, counted_at = ?4
WHERE executor = ?1
