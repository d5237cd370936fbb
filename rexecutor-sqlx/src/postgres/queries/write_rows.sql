-- {arrays} has the values of each column, {values} says what becomes of them, and {otherwise} what is done where there is a row.
INSERT INTO {schema}.{table} ({row})
SELECT {values}
FROM unnest({arrays}) AS new ({row})
ON CONFLICT ({key}) DO {otherwise}
