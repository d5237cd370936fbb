-- Whether this server takes writes, and whether the schema and its table of migrations are there.
SELECT
    current_setting('transaction_read_only') = 'on' AS is_read_only,
    EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1) AS has_schema,
    EXISTS (
        SELECT FROM pg_catalog.pg_class AS class
        INNER JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
        WHERE namespace.nspname = $1 AND class.relname = 'migrations'
    ) AS has_migrations,
    current_user::TEXT AS role
