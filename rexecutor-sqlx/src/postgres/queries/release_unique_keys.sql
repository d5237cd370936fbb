-- The lock lasts until the transaction ends all the same: others wait for whoever inserted the row.
DELETE FROM {schema}.unique_keys WHERE key = ANY ($1)
