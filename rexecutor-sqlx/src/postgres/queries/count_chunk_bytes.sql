SELECT coalesce(sum(octet_length(text)), 0)::BIGINT AS bytes FROM {schema}.chunks
WHERE job = $1
