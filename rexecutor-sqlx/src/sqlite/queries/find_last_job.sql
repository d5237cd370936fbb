-- The table has no row before the first job.
SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'rexecutor_jobs'
