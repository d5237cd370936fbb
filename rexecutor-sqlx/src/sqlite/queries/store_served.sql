-- Which key of an executor was served last.
INSERT INTO rexecutor_limits (executor, served_key) VALUES (?1, ?2)
ON CONFLICT (executor) DO UPDATE SET served_key = excluded.served_key
