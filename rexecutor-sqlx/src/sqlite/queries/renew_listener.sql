-- ?4 up to which event it has read. It changes nothing if it has not counted as one since a while ago.
UPDATE rexecutor_listeners
SET until_at = unixepoch() + ?3, executors = ?2, seen = ?4
WHERE id = ?1 AND until_at > unixepoch()
