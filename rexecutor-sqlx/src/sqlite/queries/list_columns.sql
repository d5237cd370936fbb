-- The columns of our tables.
SELECT
    relation.name AS relation, described.name, described.type, described."notnull" AS is_required,
    described.dflt_value AS initial, described.pk AS place_in_key
FROM sqlite_schema AS relation
INNER JOIN pragma_table_xinfo(relation.name) AS described
WHERE relation.type = 'table' AND relation.name LIKE 'rexecutor\_%' ESCAPE '\'
ORDER BY relation.name, described.cid
