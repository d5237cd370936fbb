-- {table} is one that is copied, {row} its columns and {key} its key. {range} is between two keys.
SELECT {row} FROM rexecutor_{table} WHERE {range} ORDER BY {key} LIMIT 0 + ?1
