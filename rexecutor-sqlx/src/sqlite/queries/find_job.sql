-- ?1: a job.
SELECT * FROM rexecutor_jobs WHERE id = ?1
