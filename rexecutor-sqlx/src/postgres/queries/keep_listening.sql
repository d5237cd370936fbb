-- A session that listens is idle by nature, and must not be ended for it. Its client reads what it is sent: where that stays
-- unread for so long, as when the process is stopped, the server ends the session, which would keep every later row version
-- from being vacuumed. Not every version of PostgreSQL has both settings.
SELECT set_config(wanted.name, wanted.value, FALSE)
FROM (VALUES ('idle_session_timeout', '0'), ('tcp_user_timeout', $1)) AS wanted (name, value)
WHERE wanted.name IN (SELECT name FROM pg_catalog.pg_settings)
