DELETE FROM rexecutor_{table} WHERE {job} IN (SELECT value FROM json_each(?1))
