-- The statements that let this role do with the tables what it may not do yet, and whether enqueuing needs them, too. Where row
-- security is on and no policy lets the role see anything, every row would be hidden without a word.
WITH needed (relation, privilege, enqueues) AS (
    VALUES
    ('migrations', 'SELECT', TRUE),
    ('jobs', 'SELECT', TRUE), ('jobs', 'INSERT', TRUE), ('jobs', 'UPDATE', FALSE), ('jobs', 'DELETE', FALSE),
    ('unique_keys', 'SELECT', FALSE), ('unique_keys', 'INSERT', FALSE), ('unique_keys', 'UPDATE', FALSE),
    ('unique_keys', 'DELETE', FALSE),
    ('nodes', 'SELECT', FALSE), ('nodes', 'INSERT', FALSE), ('nodes', 'UPDATE', FALSE), ('nodes', 'DELETE', FALSE),
    ('backlogs', 'SELECT', FALSE), ('backlogs', 'INSERT', FALSE), ('backlogs', 'UPDATE', FALSE),
    ('origin', 'SELECT', FALSE), ('origin', 'INSERT', FALSE),
    ('schedule_entries', 'SELECT', FALSE), ('schedule_entries', 'INSERT', FALSE),
    ('schedule_entries', 'UPDATE', FALSE), ('schedule_entries', 'DELETE', FALSE),
    ('schedules', 'SELECT', FALSE), ('schedules', 'INSERT', FALSE), ('schedules', 'UPDATE', FALSE),
    ('steps', 'SELECT', FALSE), ('steps', 'INSERT', FALSE), ('steps', 'UPDATE', FALSE), ('steps', 'DELETE', FALSE),
    ('flows', 'SELECT', FALSE), ('flows', 'INSERT', FALSE), ('flows', 'UPDATE', FALSE), ('flows', 'DELETE', FALSE),
    ('tasks', 'SELECT', FALSE), ('tasks', 'INSERT', FALSE), ('tasks', 'UPDATE', FALSE), ('tasks', 'DELETE', FALSE),
    ('task_edges', 'SELECT', FALSE), ('task_edges', 'INSERT', FALSE), ('task_edges', 'DELETE', FALSE),
    ('controls', 'SELECT', FALSE), ('controls', 'INSERT', FALSE), ('controls', 'UPDATE', FALSE),
    ('controls', 'DELETE', FALSE),
    ('node_pauses', 'SELECT', FALSE), ('node_pauses', 'INSERT', FALSE), ('node_pauses', 'UPDATE', FALSE),
    ('node_pauses', 'DELETE', FALSE),
    ('set_limits', 'SELECT', FALSE), ('set_limits', 'INSERT', FALSE), ('set_limits', 'UPDATE', FALSE),
    ('set_limits', 'DELETE', FALSE),
    ('limits', 'SELECT', FALSE), ('limits', 'INSERT', FALSE), ('limits', 'UPDATE', FALSE),
    ('tag_pauses', 'SELECT', FALSE), ('tag_pauses', 'INSERT', FALSE), ('tag_pauses', 'UPDATE', FALSE),
    ('tag_pauses', 'DELETE', FALSE),
    ('aside', 'SELECT', FALSE), ('aside', 'INSERT', FALSE), ('aside', 'UPDATE', FALSE), ('aside', 'DELETE', FALSE),
    ('breakers', 'SELECT', FALSE), ('breakers', 'INSERT', FALSE), ('breakers', 'UPDATE', FALSE),
    ('breakers', 'DELETE', FALSE),
    ('key_buckets', 'SELECT', FALSE), ('key_buckets', 'INSERT', FALSE), ('key_buckets', 'UPDATE', FALSE),
    ('key_buckets', 'DELETE', FALSE),
    ('progress', 'SELECT', FALSE), ('progress', 'INSERT', FALSE), ('progress', 'UPDATE', FALSE),
    ('progress', 'DELETE', FALSE),
    ('history', 'SELECT', FALSE), ('history', 'INSERT', FALSE), ('history', 'UPDATE', FALSE),
    ('history', 'DELETE', FALSE),
    ('audit', 'SELECT', FALSE), ('audit', 'INSERT', FALSE), ('audit', 'UPDATE', FALSE), ('audit', 'DELETE', FALSE),
    ('chunks', 'SELECT', FALSE), ('chunks', 'INSERT', FALSE), ('chunks', 'DELETE', FALSE),
    ('events', 'SELECT', FALSE), ('events', 'INSERT', FALSE), ('events', 'UPDATE', FALSE), ('events', 'DELETE', FALSE),
    ('listeners', 'SELECT', FALSE), ('listeners', 'INSERT', FALSE), ('listeners', 'UPDATE', FALSE),
    ('listeners', 'DELETE', FALSE),
    ('declared_limits', 'SELECT', FALSE), ('declared_limits', 'INSERT', FALSE),
    ('declared_limits', 'UPDATE', FALSE)
),
stored AS (
    SELECT class.oid, class.relname::TEXT AS relation
    FROM pg_catalog.pg_class AS class
    INNER JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
    WHERE namespace.nspname = $1
),
missing AS (
    SELECT format('GRANT USAGE ON SCHEMA %I TO %I;', $1, current_user) AS statement, TRUE AS enqueues, 0 AS place
    FROM pg_catalog.pg_namespace
    WHERE nspname = $1 AND NOT has_schema_privilege(oid, 'USAGE')
    UNION ALL
    SELECT
        format(
            'GRANT %s ON %I.%I TO %I;', string_agg(needed.privilege, ', ' ORDER BY needed.privilege), $1,
            needed.relation, current_user
        ),
        bool_or(needed.enqueues), 1
    FROM needed
    INNER JOIN stored ON stored.relation = needed.relation
    WHERE NOT has_table_privilege(stored.oid, needed.privilege)
    GROUP BY needed.relation
    UNION ALL
    SELECT
        format(
            'CREATE POLICY rexecutor ON %I.%I TO %I USING (TRUE) WITH CHECK (TRUE);', $1, stored.relation, current_user
        ),
        stored.relation IN ('migrations', 'jobs'), 2
    FROM stored
    WHERE stored.relation IN (SELECT needed.relation FROM needed) AND row_security_active(stored.oid)
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_policy AS policy
            CROSS JOIN unnest(policy.polroles) AS held (role)
            WHERE policy.polrelid = stored.oid AND policy.polpermissive
                AND CASE held.role WHEN 0 THEN TRUE ELSE pg_has_role(held.role, 'USAGE') END
        )
)
SELECT statement, enqueues FROM missing
ORDER BY place, statement
