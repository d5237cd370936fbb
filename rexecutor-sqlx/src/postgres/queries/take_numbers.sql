-- $1 numbers for jobs.
SELECT nextval(sequence.tableoid::REGCLASS) AS id FROM {schema}.jobs_id_seq AS sequence CROSS JOIN generate_series(1, $1)
