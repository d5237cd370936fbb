-- $2 numbers in the source; NULL: all.
DELETE FROM {schema}.incoming WHERE token = $1 AND ($2::BIGINT [] IS NULL OR job = ANY ($2))
