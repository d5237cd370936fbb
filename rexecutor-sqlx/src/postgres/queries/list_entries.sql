-- The entry of this name, or all of them.
SELECT name, entry FROM {schema}.schedule_entries
WHERE $1::TEXT IS NULL OR name = $1
ORDER BY name
