-- After LOCK TABLE: the last number that was given out is $1, if it was $2.
SELECT setval(tableoid::REGCLASS, greatest($1::BIGINT, 1), $1 > 0) FROM {schema}.jobs_id_seq WHERE last_value = $2 AND is_called
