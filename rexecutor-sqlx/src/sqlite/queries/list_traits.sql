-- What is said of our tables beside their columns, each as a text.
SELECT relation.name AS relation, 'UNIQUE (' || (
    SELECT group_concat(part.name, ', ') FROM pragma_index_info(kept.name) AS part
) || ')' AS trait
FROM sqlite_schema AS relation
INNER JOIN pragma_index_list(relation.name) AS kept
WHERE relation.type = 'table' AND relation.name LIKE 'rexecutor\_%' ESCAPE '\' AND kept.origin = 'u'
UNION ALL
SELECT
    relation.name,
    'FOREIGN KEY (' || foreign_key."from" || ') REFERENCES ' || foreign_key."table" || ' ON DELETE ' || foreign_key.on_delete
FROM sqlite_schema AS relation
INNER JOIN pragma_foreign_key_list(relation.name) AS foreign_key
WHERE relation.type = 'table' AND relation.name LIKE 'rexecutor\_%' ESCAPE '\'
UNION ALL
SELECT name, 'STRICT' FROM pragma_table_list
WHERE schema = 'main' AND name LIKE 'rexecutor\_%' ESCAPE '\' AND strict
UNION ALL
SELECT name, 'WITHOUT ROWID' FROM pragma_table_list
WHERE schema = 'main' AND name LIKE 'rexecutor\_%' ESCAPE '\' AND wr
UNION ALL
SELECT name, 'AUTOINCREMENT' FROM sqlite_schema
WHERE type = 'table' AND name LIKE 'rexecutor\_%' ESCAPE '\' AND sql LIKE '%AUTOINCREMENT%'
ORDER BY relation, trait
