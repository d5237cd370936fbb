-- A sequence has given out $1 at least; any of ours takes the place of this one. Far off it is set: nobody takes a million numbers while this
-- statement runs, so it is not set back. Near, the numbers in between are taken.
SELECT
    CASE
        WHEN $1 - sequence.last > 1000000 THEN setval(sequence.relation, $1)
        ELSE (
            SELECT max(taken.number)
            FROM (SELECT nextval(sequence.relation) AS number FROM generate_series(1, $1 - sequence.last)) AS taken
        )
    END AS last
FROM (
    SELECT tableoid::REGCLASS AS relation, CASE WHEN is_called THEN last_value ELSE last_value - 1 END AS last
    FROM {schema}.jobs_id_seq
) AS sequence
WHERE sequence.last < $1::BIGINT
