-- {values} has the values of each row, and {otherwise} says what is done where there is a row.
INSERT INTO rexecutor_{table} ({row}) VALUES {values} ON CONFLICT ({key}) DO {otherwise}
