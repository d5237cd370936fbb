-- ?1 the present, ?2 the copy, ?3 up to which number jobs may be the source's; NULL: as before.
UPDATE rexecutor_copies SET finished_at = ?1, reserved_to = coalesce(?3, reserved_to) WHERE token = ?2
