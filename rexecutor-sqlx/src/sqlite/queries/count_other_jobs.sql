-- Jobs that were enqueued here while those up to ?1 were copied.
SELECT count(*) FROM rexecutor_jobs WHERE id > ?1
