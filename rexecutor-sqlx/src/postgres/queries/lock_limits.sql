-- Of each of these executors, $1, one claim at a time decides how many jobs it may take, and of each limit that they share. In one
-- order, so that two claims of several executors cannot wait for each other.
SELECT executor FROM {schema}.limits
WHERE executor = ANY ($1) OR executor IN (
    SELECT unnest(declared.shared) FROM {schema}.declared_limits AS declared WHERE declared.executor = ANY ($1)
)
ORDER BY executor
FOR UPDATE
