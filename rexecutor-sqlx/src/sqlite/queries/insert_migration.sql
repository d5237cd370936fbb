INSERT INTO rexecutor_migrations (version, name, oldest_program, applied_at) VALUES (?1, ?2, ?3, ?4)
