-- announce_jobs, with the payloads as a JSON array.
SELECT
    (SELECT system_identifier FROM pg_catalog.pg_control_system()) AS cluster,
    (SELECT oid::BIGINT FROM pg_catalog.pg_database WHERE datname = current_database()) AS database,
    (SELECT count(pg_notify($1, payload)) FROM json_array_elements_text($2::JSON) AS new (payload)) AS notices
