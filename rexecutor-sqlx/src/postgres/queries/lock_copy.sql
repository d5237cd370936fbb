-- Whether $2 is still the newest run of a copy, $1; no later one starts before this transaction has ended.
SELECT token FROM {schema}.copies WHERE token = $1 AND run = $2 FOR UPDATE
