-- Jobs that this transaction takes out of the table, $2, and all of each, $3.
INSERT INTO {schema}.outgoing (token, job, content)
SELECT $1, new.job, new.content FROM unnest($2::BIGINT [], $3::TEXT []) AS new (job, content)
