INSERT INTO rexecutor_schedule_entries (name, due_at, last_at, entry) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (name) DO UPDATE SET due_at = excluded.due_at, last_at = excluded.last_at, entry = excluded.entry
