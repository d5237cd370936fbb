-- release_unique_keys for one.
DELETE FROM {schema}.unique_keys WHERE key = $1
