-- And those that do not count as listeners any more.
DELETE FROM rexecutor_listeners WHERE id = ?1 OR until_at <= unixepoch()
