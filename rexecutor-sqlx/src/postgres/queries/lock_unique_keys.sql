-- In ascending order, so that two batches with the same keys never wait for each other. Whoever inserts a key that another
-- open transaction has inserted waits for its end.
INSERT INTO {schema}.unique_keys AS held (key)
SELECT key FROM unnest($1::BYTEA []) AS new (key)
ORDER BY key
ON CONFLICT (key) DO UPDATE SET key = excluded.key
