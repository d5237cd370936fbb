-- Settings of the server that cost jobs, each with what it does and the statement that puts it right.
SELECT
    setting.name,
    wrong.what,
    CASE setting.source
        WHEN 'user' THEN format('ALTER ROLE %I RESET %I;', session_user, setting.name)
        WHEN 'database' THEN format('ALTER DATABASE %I RESET %I;', current_database(), setting.name)
        WHEN 'database user'
            THEN format('ALTER ROLE %I IN DATABASE %I RESET %I;', session_user, current_database(), setting.name)
        ELSE format('ALTER SYSTEM SET %I = on;', setting.name) || E'\nSELECT pg_reload_conf();'
    END AS remedy
FROM pg_catalog.pg_settings AS setting
INNER JOIN (
    VALUES
    ('fsync', 'a crash of the machine may damage every table'),
    ('full_page_writes', 'a crash of the machine may damage every table'),
    ('synchronous_commit', 'a crash of the server may forget jobs that were enqueued'),
    ('autovacuum', 'dead rows are never removed, and claims get slower and slower'),
    ('track_counts', 'autovacuum does not know what to do, and claims get slower and slower')
) AS wrong (name, what) ON wrong.name = setting.name
WHERE setting.setting = 'off'
ORDER BY setting.name
