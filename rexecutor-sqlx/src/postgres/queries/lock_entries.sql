SELECT name, entry FROM {schema}.schedule_entries
WHERE name = ANY ($1)
ORDER BY name
FOR UPDATE
