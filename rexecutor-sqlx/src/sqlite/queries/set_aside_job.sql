-- ?1: a row that cannot be read as a job, ?2: now. It must not come back with every claim.
UPDATE rexecutor_jobs SET status = 'discarded', node = NULL, discarded_at = ?2 WHERE id = ?1
