-- The rows of jobs, ?1; {job} is the column with their numbers.
SELECT {row} FROM rexecutor_{table} WHERE {job} IN (SELECT value FROM json_each(?1)) ORDER BY {key}
