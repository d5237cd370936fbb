-- Rows whose owner is gone.
SELECT "table" AS relation, parent, count(*) AS rows FROM pragma_foreign_key_check
WHERE "table" LIKE 'rexecutor\_%' ESCAPE '\'
GROUP BY "table", parent
