SELECT coalesce(max(version), 0) AS version, coalesce(max(oldest_program), 0) AS oldest_program
FROM rexecutor_migrations
