-- ?1 the executors that it listens for, as JSON; NULL: all; ?2 for how many seconds it counts as one.
INSERT INTO rexecutor_listeners (until_at, executors, seen)
VALUES (unixepoch() + ?2, ?1, (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'rexecutor_events'))
RETURNING id, seen
