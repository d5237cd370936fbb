SELECT token, is_source, is_whole, finished_at IS NOT NULL AS is_finished, last_job FROM rexecutor_copies ORDER BY token
