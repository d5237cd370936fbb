-- Where tables to compare with may be made, and how the schema $1 is written where it needs no quotes; once there are temporary
-- tables, where they are.
SELECT
    has_database_privilege(current_database(), 'CREATE') AS may_create,
    has_database_privilege(current_database(), 'TEMPORARY') AS may_make_temporary,
    format('GRANT TEMPORARY ON DATABASE %I TO %I;', current_database(), current_user) AS remedy,
    quote_ident($1) AS ident,
    (SELECT nspname::TEXT FROM pg_catalog.pg_namespace WHERE oid = pg_my_temp_schema()) AS temporary
