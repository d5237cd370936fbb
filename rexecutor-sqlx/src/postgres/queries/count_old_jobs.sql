SELECT executor::TEXT AS executor, status::TEXT AS status, count(*) AS jobs
FROM {old_schema}.rexecutor_jobs
GROUP BY 1, 2
