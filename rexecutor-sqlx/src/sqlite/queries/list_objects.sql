-- Our tables, views, indexes and triggers, and whatever else stands on our tables, with the statements that made them.
SELECT type, name, tbl_name AS relation, sql FROM sqlite_schema
WHERE (name LIKE 'rexecutor\_%' ESCAPE '\' OR tbl_name LIKE 'rexecutor\_%' ESCAPE '\') AND sql IS NOT NULL
ORDER BY name
