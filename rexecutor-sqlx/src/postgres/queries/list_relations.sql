-- The tables of the schema $1, with what is set for each. The session's search path is empty, so that names are whole.
SELECT
    class.relname::TEXT AS name,
    class.relpersistence = 'u' AS is_unlogged,
    class.relreplident::TEXT AS identity,
    coalesce(class.reloptions, '{}') AS settings,
    EXISTS (
        SELECT FROM pg_catalog.pg_publication_tables AS published
        WHERE published.schemaname = $1 AND published.tablename = class.relname
    ) AS is_published
FROM pg_catalog.pg_class AS class
INNER JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
WHERE namespace.nspname = $1 AND class.relkind IN ('r', 'p')
ORDER BY class.relname
