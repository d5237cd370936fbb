-- Who keeps the rows that are dead from being vacuumed in this database, for longer than $1 microseconds: with the statement that
-- ends it. Sessions of other roles show only to members of pg_read_all_stats.
SELECT
    format(
        'the session %s of `%s`%s has had a transaction open for %s', activity.pid, activity.usename,
        CASE WHEN activity.application_name = '' THEN '' ELSE ' (' || activity.application_name || ')' END,
        date_trunc('second', clock_timestamp() - activity.xact_start)
    ) AS what,
    format('SELECT pg_terminate_backend(%s);', activity.pid) AS remedy
FROM pg_catalog.pg_stat_activity AS activity
WHERE activity.datname = current_database() AND activity.pid <> pg_backend_pid()
    AND (activity.backend_xmin IS NOT NULL OR activity.backend_xid IS NOT NULL OR activity.state LIKE 'idle in transaction%')
    AND activity.xact_start <= clock_timestamp() - $1::BIGINT * INTERVAL '1 microsecond'
UNION ALL
SELECT
    format(
        'the transaction `%s` was prepared by `%s` %s ago and neither committed nor rolled back', prepared.gid,
        prepared.owner, date_trunc('second', clock_timestamp() - prepared.prepared)
    ),
    format('ROLLBACK PREPARED %L;', prepared.gid)
FROM pg_catalog.pg_prepared_xacts AS prepared
WHERE prepared.database = current_database()
    AND prepared.prepared <= clock_timestamp() - $1::BIGINT * INTERVAL '1 microsecond'
UNION ALL
SELECT
    format('nobody reads from the replication slot `%s`, which keeps dead rows and the log', slot.slot_name),
    format('SELECT pg_drop_replication_slot(%L);', slot.slot_name)
FROM pg_catalog.pg_replication_slots AS slot
WHERE NOT slot.active AND (slot.database IS NULL OR slot.database = current_database())
ORDER BY what
