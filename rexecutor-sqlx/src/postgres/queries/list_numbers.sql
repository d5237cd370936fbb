-- Of each table that gives out numbers: the largest in it, and its sequence, if the role may ask that.
SELECT
    relation.name, coalesce(relation.largest, 0) AS largest,
    pg_catalog.pg_get_serial_sequence(format('%I.%I', $1::TEXT, relation.name), 'id') AS sequence
FROM (
    VALUES
    ('jobs', (SELECT max(id) FROM {schema}.jobs)),
    ('nodes', (SELECT max(id) FROM {schema}.nodes)),
    ('flows', (SELECT max(id) FROM {schema}.flows))
) AS relation (name, largest)
WHERE has_sequence_privilege(pg_catalog.pg_get_serial_sequence(format('%I.%I', $1::TEXT, relation.name), 'id'), 'SELECT')
