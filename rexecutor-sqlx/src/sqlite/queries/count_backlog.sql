-- How many jobs of an executor wait, up to a limit: what the index of the ready ones knows.
SELECT count(*) FROM (SELECT 1 FROM rexecutor_jobs WHERE executor = ?1 AND {pending} LIMIT max(0, ?2))
