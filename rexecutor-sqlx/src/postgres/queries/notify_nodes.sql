SELECT pg_notify($1, payload) FROM unnest($2::TEXT []) AS new (payload)
