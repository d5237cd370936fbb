SELECT last_tick_at
FROM json_each(?1) AS wanted
INNER JOIN rexecutor_schedules AS stored ON stored.key = wanted.value
ORDER BY wanted.key
