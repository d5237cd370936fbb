-- What belongs to the tables of the schema $1: constraints, the indexes that are not part of one, triggers; and its functions. Each
-- with the statement that makes it, but for a constraint, of which it is only the end.
SELECT
    class.relname::TEXT AS relation,
    constraints.conname::TEXT AS name,
    'constraint' AS kind,
    pg_catalog.pg_get_constraintdef(constraints.oid)
    || coalesce(' WITH (' || array_to_string(index_class.reloptions, ', ') || ')', '') AS definition,
    -- A foreign key needs the key that it refers to.
    CASE WHEN constraints.contype = 'f' THEN 1 ELSE 0 END AS place,
    coalesce(state.indisvalid AND state.indisready, TRUE) AND constraints.convalidated AS is_valid
FROM pg_catalog.pg_constraint AS constraints
INNER JOIN pg_catalog.pg_class AS class ON class.oid = constraints.conrelid
INNER JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
LEFT JOIN pg_catalog.pg_index AS state
    ON state.indexrelid = constraints.conindid AND constraints.contype IN ('p', 'u')
LEFT JOIN pg_catalog.pg_class AS index_class ON index_class.oid = state.indexrelid
-- From version 18 on, those of NOT NULL are constraints, too: these are told by the columns.
WHERE namespace.nspname = $1 AND constraints.contype IN ('p', 'u', 'f', 'c')
UNION ALL
SELECT
    class.relname::TEXT, index_class.relname::TEXT, 'index', pg_catalog.pg_get_indexdef(state.indexrelid), 2,
    state.indisvalid AND state.indisready
FROM pg_catalog.pg_index AS state
INNER JOIN pg_catalog.pg_class AS index_class ON index_class.oid = state.indexrelid
INNER JOIN pg_catalog.pg_class AS class ON class.oid = state.indrelid
INNER JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
WHERE namespace.nspname = $1 AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_constraint AS owner WHERE owner.conindid = state.indexrelid AND owner.contype IN ('p', 'u')
)
UNION ALL
SELECT
    NULL, proc.proname || '(' || pg_catalog.pg_get_function_identity_arguments(proc.oid) || ')', 'function',
    pg_catalog.pg_get_functiondef(proc.oid), 3, TRUE
FROM pg_catalog.pg_proc AS proc
INNER JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = proc.pronamespace
WHERE namespace.nspname = $1 AND proc.prokind = 'f'
UNION ALL
SELECT
    class.relname::TEXT, rule.tgname::TEXT, 'trigger', pg_catalog.pg_get_triggerdef(rule.oid), 4, rule.tgenabled = 'O'
FROM pg_catalog.pg_trigger AS rule
INNER JOIN pg_catalog.pg_class AS class ON class.oid = rule.tgrelid
INNER JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
WHERE namespace.nspname = $1 AND NOT rule.tgisinternal
ORDER BY place, relation, name
