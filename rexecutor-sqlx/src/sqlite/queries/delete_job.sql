-- ?1: the job. Its errors go with it.
DELETE FROM rexecutor_jobs WHERE id = ?1
