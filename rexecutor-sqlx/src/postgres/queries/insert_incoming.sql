INSERT INTO {schema}.incoming (token, job, stored_as)
SELECT $1, new.job, new.stored_as FROM unnest($2::BIGINT [], $3::BIGINT []) AS new (job, stored_as)
