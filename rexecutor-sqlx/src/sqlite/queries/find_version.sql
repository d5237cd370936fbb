SELECT coalesce(max(version), 0) FROM rexecutor_migrations
