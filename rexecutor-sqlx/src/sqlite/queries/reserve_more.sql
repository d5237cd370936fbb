-- Of a copy, ?1: jobs with numbers up to ?2 keep theirs.
UPDATE rexecutor_copies SET reserved_to = ?2 WHERE token = ?1
