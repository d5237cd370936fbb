-- $1 flow, $2 jobs, $3 names, $4 on which ends of their predecessors they run, $5 how many these are, $6 to $8 how many of them have
-- succeeded, failed and were skipped already.
INSERT INTO {schema}.tasks (job, flow, name, run_when, wanted, succeeded, failed, skipped)
SELECT new.job, $1, new.name, new.run_when, new.wanted, new.succeeded, new.failed, new.skipped
FROM unnest($2::BIGINT [], $3::TEXT [], $4::TEXT [], $5::INTEGER [], $6::INTEGER [], $7::INTEGER [], $8::INTEGER [])
    AS new (job, name, run_when, wanted, succeeded, failed, skipped)
