-- Of each of these executors one claim at a time decides how many jobs it may take. In one order, so that two claims of
-- several executors cannot wait for each other.
SELECT executor FROM {schema}.limits
WHERE executor = ANY ($1)
ORDER BY executor
FOR UPDATE
