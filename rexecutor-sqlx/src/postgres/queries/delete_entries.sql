DELETE FROM {schema}.schedule_entries WHERE name = ANY ($1)
