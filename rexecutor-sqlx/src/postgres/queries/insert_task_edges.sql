-- $1 tasks, $2 the places of what they come after among all that they come after, $3 that.
INSERT INTO {schema}.task_edges (successor, place, predecessor)
SELECT new.successor, new.place, new.predecessor
FROM unnest($1::BIGINT [], $2::INTEGER [], $3::BIGINT []) AS new (successor, place, predecessor)
