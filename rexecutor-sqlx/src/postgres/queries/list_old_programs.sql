-- Sessions of programs of rexecutor 0.1: each of them has one whose last statement is this. $1 is shown in place of what a session does
-- to roles that may not see it; processes of the server's own, which have no role, are not shown either.
SELECT
    activity.query = $1 AS is_hidden,
    concat_ws(
        ' ', 'process', activity.pid::TEXT, 'of', quote_ident(activity.usename),
        'at ' || coalesce(host(activity.client_addr), 'this machine'), '(' || nullif(activity.application_name, '') || ')'
    ) AS session
FROM pg_catalog.pg_stat_activity AS activity
WHERE activity.datname = current_database() AND activity.pid <> pg_backend_pid()
    AND activity.usesysid IS NOT NULL
    AND (activity.query = $1 OR activity.query LIKE 'LISTEN "public.rexecutor\_scheduled"%')
ORDER BY activity.pid
