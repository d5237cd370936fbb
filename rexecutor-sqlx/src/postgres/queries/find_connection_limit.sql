-- How many connections this role may have at most, by its own limit, the database's and the server's; NULL: as many as it
-- likes. Only the server's holds for superusers.
SELECT
    least(
        CASE WHEN NOT role.rolsuper AND role.rolconnlimit >= 0 THEN role.rolconnlimit END,
        CASE WHEN NOT role.rolsuper AND current.datconnlimit >= 0 THEN current.datconnlimit END,
        current_setting('max_connections')::INTEGER
        - CASE WHEN role.rolsuper THEN 0 ELSE current_setting('superuser_reserved_connections')::INTEGER END
    ) AS allowed
FROM pg_catalog.pg_roles AS role
CROSS JOIN pg_catalog.pg_database AS current
WHERE role.rolname = session_user AND current.datname = current_database()
