-- The columns of the tables of the schema $1, as they would be declared.
SELECT
    class.relname::TEXT AS relation,
    attribute.attname::TEXT AS name,
    pg_catalog.format_type(attribute.atttypid, attribute.atttypmod) AS type,
    CASE WHEN attribute.attcollation <> type.typcollation THEN collation_of.collname::TEXT END AS collation,
    attribute.attnotnull AS is_required,
    pg_catalog.pg_get_expr(initial.adbin, initial.adrelid) AS initial,
    attribute.attidentity::TEXT AS identity
FROM pg_catalog.pg_attribute AS attribute
INNER JOIN pg_catalog.pg_class AS class ON class.oid = attribute.attrelid
INNER JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
INNER JOIN pg_catalog.pg_type AS type ON type.oid = attribute.atttypid
LEFT JOIN pg_catalog.pg_collation AS collation_of ON collation_of.oid = attribute.attcollation
LEFT JOIN pg_catalog.pg_attrdef AS initial
    ON initial.adrelid = attribute.attrelid AND initial.adnum = attribute.attnum
WHERE namespace.nspname = $1 AND class.relkind IN ('r', 'p') AND attribute.attnum > 0 AND NOT attribute.attisdropped
ORDER BY class.relname, attribute.attnum
