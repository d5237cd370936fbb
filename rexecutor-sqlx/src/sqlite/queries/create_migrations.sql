-- A table of its own: the application's migrations are none of ours.
CREATE TABLE IF NOT EXISTS rexecutor_migrations (
    version INTEGER PRIMARY KEY,
    applied_at INTEGER NOT NULL
) STRICT
