-- ?1 the present; ?2 [until when it is kept, who, through what, what, the kind of thing, which, of whose jobs, the error, what was there
-- before, and is now] of each.
INSERT INTO rexecutor_audit (at, kept_until, who, via, action, kind, object, executor, error, was, became)
SELECT
    ?1, new.value ->> 0, new.value ->> 1, new.value ->> 2, new.value ->> 3, new.value ->> 4, new.value ->> 5, new.value ->> 6,
    new.value ->> 7, new.value ->> 8, new.value ->> 9
FROM json_each(?2) AS new
ORDER BY new.key
