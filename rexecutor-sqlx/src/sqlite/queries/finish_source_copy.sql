UPDATE rexecutor_copies SET last_job = max(coalesce(last_job, ?2), ?2) WHERE token = ?1
