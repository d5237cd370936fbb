-- Whether these tables were ever created.
SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'rexecutor_migrations')
