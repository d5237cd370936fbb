-- The schema's version; no row, before the first migration.
SELECT coalesce(max(version), 0) FROM rexecutor_migrations
