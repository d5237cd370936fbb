-- What is due at ?1, or may have a last tick ahead of the clock, which ?2 is a minute after; then when the next one is due.
SELECT name, NULL AS due_at
FROM (
    SELECT name FROM rexecutor_schedule_entries INDEXED BY rexecutor_schedule_entries_due WHERE due_at <= ?1
    UNION
    -- Else it would read all of them in the order of their names.
    SELECT name FROM rexecutor_schedule_entries INDEXED BY rexecutor_schedule_entries_last
    WHERE due_at IS NOT NULL AND last_at > ?2
    ORDER BY name
    LIMIT 500
)
UNION ALL
SELECT NULL, min(due_at) FROM rexecutor_schedule_entries WHERE due_at > ?1
