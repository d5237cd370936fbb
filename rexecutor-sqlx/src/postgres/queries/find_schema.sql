-- Whether this server takes writes, how it encodes text, and whether the schema, its table of migrations and that of the jobs
-- are there. A role,
-- a database or a client may be read-only by default; then the statement says how to change that.
SELECT
    current_setting('transaction_read_only') = 'on' AS is_read_only,
    CASE
        WHEN pg_is_in_recovery() THEN NULL
        ELSE (
            SELECT
                CASE source
                    WHEN 'user' THEN format('ALTER ROLE %I RESET default_transaction_read_only;', session_user)
                    WHEN 'database'
                        THEN format('ALTER DATABASE %I RESET default_transaction_read_only;', current_database())
                    WHEN 'database user'
                        THEN
                            format(
                                'ALTER ROLE %I IN DATABASE %I RESET default_transaction_read_only;', session_user,
                                current_database()
                            )
                    WHEN 'client' THEN 'SET default_transaction_read_only = off;'
                END
            FROM pg_catalog.pg_settings
            WHERE name = 'default_transaction_read_only'
        )
    END AS read_only_remedy,
    EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1) AS has_schema,
    EXISTS (
        SELECT FROM pg_catalog.pg_class AS class
        INNER JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
        WHERE namespace.nspname = $1 AND class.relname = 'migrations'
    ) AS has_migrations,
    EXISTS (
        SELECT FROM pg_catalog.pg_class AS class
        INNER JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
        WHERE namespace.nspname = $1 AND class.relname = 'jobs'
    ) AS has_jobs,
    current_user::TEXT AS role,
    current_setting('server_encoding') AS encoding
