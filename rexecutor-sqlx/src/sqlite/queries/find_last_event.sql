-- The table has no row before the first event.
SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'rexecutor_events'
