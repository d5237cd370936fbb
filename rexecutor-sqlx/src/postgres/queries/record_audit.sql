-- $1 the test clock's time; of each entry $2 for how many microseconds it is kept, $3 who, $4 through what, $5 what, $6 and $7 of which
-- thing, $8 of whose jobs, $9 the error, $10 and $11 what was there before, and is now. What another call deletes is left to it.
WITH present AS MATERIALIZED (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS now),
pruned AS (
    DELETE FROM {schema}.audit
    WHERE id = ANY (ARRAY(
        SELECT old.id FROM {schema}.audit AS old
        WHERE old.kept_until <= (SELECT present.now FROM present)
        ORDER BY old.kept_until, old.id
        LIMIT 1000
        FOR UPDATE SKIP LOCKED
    ))
)
INSERT INTO {schema}.audit (at, kept_until, who, via, action, kind, object, executor, error, was, became)
SELECT
    present.now, present.now + new.kept * INTERVAL '1 microsecond',
    new.who, new.via, new.action, new.kind, new.object, new.executor, new.error, new.was, new.became
FROM present
CROSS JOIN unnest(
    $2::BIGINT [], $3::TEXT [], $4::TEXT [], $5::TEXT [], $6::TEXT [], $7::TEXT [], $8::TEXT [], $9::TEXT [], $10::TEXT [], $11::TEXT []
) WITH ORDINALITY AS new (kept, who, via, action, kind, object, executor, error, was, became, place)
ORDER BY new.place
