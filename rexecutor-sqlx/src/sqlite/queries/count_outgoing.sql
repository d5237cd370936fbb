SELECT
    (SELECT count(*) FROM rexecutor_outgoing) AS jobs,
    (SELECT max(id) FROM rexecutor_jobs) IS NOT NULL AS has_jobs
