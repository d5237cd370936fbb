UPDATE {schema}.flows SET flow = $2, watches = $3, finished_at = $4, is_bare = $5 WHERE id = $1
