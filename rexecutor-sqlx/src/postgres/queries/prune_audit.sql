-- $1 the test clock's time. Deletes what has been kept for long enough; what another call deletes is left to it. Gives how many rows it was.
WITH pruned AS (
    DELETE FROM {schema}.audit
    WHERE id = ANY (ARRAY(
        SELECT old.id FROM {schema}.audit AS old
        WHERE old.kept_until <= coalesce($1::TIMESTAMPTZ, clock_timestamp())
        ORDER BY old.kept_until, old.id
        LIMIT 1000
        FOR UPDATE SKIP LOCKED
    ))
    RETURNING id
)
SELECT count(*) AS pruned FROM pruned
