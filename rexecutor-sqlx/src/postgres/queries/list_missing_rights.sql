-- What this role may not do in the schema of rexecutor 0.1, $1, and with its table there, and whether it may not take numbers for jobs in
-- ours, $2, which is quoted: all of it is needed to move jobs.
SELECT
    current_user::TEXT AS role,
    NOT has_schema_privilege(namespace.oid, 'USAGE') AS lacks_usage,
    ARRAY(
        SELECT wanted.word FROM unnest(ARRAY['SELECT', 'UPDATE', 'DELETE']) AS wanted (word)
        WHERE NOT has_table_privilege(class.oid, wanted.word)
    ) AS lacks,
    EXISTS (
        SELECT FROM pg_catalog.pg_class AS numbers
        INNER JOIN pg_catalog.pg_namespace AS ours ON ours.oid = numbers.relnamespace
        WHERE numbers.relname = 'jobs_id_seq' AND '"' || replace(ours.nspname, '"', '""') || '"' = $2
            AND NOT (has_sequence_privilege(numbers.oid, 'USAGE') AND has_sequence_privilege(numbers.oid, 'SELECT'))
    ) AS lacks_numbers
FROM pg_catalog.pg_class AS class
INNER JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
WHERE namespace.nspname = $1 AND class.relname = 'rexecutor_jobs' AND class.relkind IN ('r', 'p')
