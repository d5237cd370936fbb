-- The rows of jobs, $1; {job} is the column with their numbers.
SELECT {row} FROM {schema}.{table} WHERE {job} = ANY ($1) ORDER BY {key}
