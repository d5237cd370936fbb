-- Of a copy, $1: jobs with numbers behind $2 keep theirs.
UPDATE {schema}.copies SET reserved_from = $2 WHERE token = $1
