UPDATE {schema}.schedule_entries AS stored
SET due_at = new.due_at, last_at = new.last_at, entry = new.entry
FROM unnest($1::TEXT [], $2::TIMESTAMPTZ [], $3::TIMESTAMPTZ [], $4::TEXT []) AS new (name, due_at, last_at, entry)
WHERE stored.name = new.name
