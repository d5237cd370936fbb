-- The entry of this name, or all of them.
SELECT name, entry FROM rexecutor_schedule_entries
WHERE ?1 IS NULL OR name = ?1
ORDER BY name
