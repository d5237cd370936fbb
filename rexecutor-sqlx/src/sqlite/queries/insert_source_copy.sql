-- ?1 the present, ?2 what this database is to be called by when it is copied from, unless it was before.
INSERT INTO rexecutor_copies (token, is_source, run, begun_at, is_whole) VALUES (?2, 1, 0, ?1, 0) ON CONFLICT DO NOTHING
