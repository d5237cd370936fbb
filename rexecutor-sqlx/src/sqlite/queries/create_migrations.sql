CREATE TABLE IF NOT EXISTS rexecutor_migrations (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    -- The oldest program, by the newest version that it knows, which may run against this version.
    oldest_program INTEGER NOT NULL,
    applied_at INTEGER NOT NULL
) STRICT
