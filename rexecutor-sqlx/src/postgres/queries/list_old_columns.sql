-- The columns of the table of rexecutor 0.1 in the schema $1, and the names of their types.
SELECT attribute.attname::TEXT AS name, kind.typname::TEXT AS type
FROM pg_catalog.pg_attribute AS attribute
INNER JOIN pg_catalog.pg_class AS class ON class.oid = attribute.attrelid
INNER JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
INNER JOIN pg_catalog.pg_type AS kind ON kind.oid = attribute.atttypid
WHERE namespace.nspname = $1 AND class.relname = 'rexecutor_jobs' AND class.relkind IN ('r', 'p')
    AND attribute.attnum > 0 AND NOT attribute.attisdropped
ORDER BY attribute.attnum
