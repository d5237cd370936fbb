-- ?2 jobs that were set aside for these tags, the JSON array ?1, in the order in which they were due.
SELECT job FROM rexecutor_aside
WHERE tag IN (SELECT value FROM json_each(?1))
ORDER BY tag, due_at
LIMIT 0 + ?2
