-- On which database the session is, and, when the transaction commits, a notice for each payload in $2.
SELECT
    (SELECT system_identifier FROM pg_catalog.pg_control_system()) AS cluster,
    (SELECT oid::BIGINT FROM pg_catalog.pg_database WHERE datname = current_database()) AS database,
    (SELECT count(pg_notify($1, payload)) FROM unnest($2::TEXT []) AS new (payload)) AS notices
