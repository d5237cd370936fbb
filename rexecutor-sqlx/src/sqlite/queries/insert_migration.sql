-- ?1: the version, ?2: now.
INSERT INTO rexecutor_migrations (version, applied_at) VALUES (?1, ?2)
