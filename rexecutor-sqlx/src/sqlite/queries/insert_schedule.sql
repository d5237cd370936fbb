-- ?1: the key, ?2: now. A schedule that is not known owes nothing from before.
INSERT INTO rexecutor_schedules (key, last_tick) VALUES (?1, ?2) ON CONFLICT (key) DO NOTHING
