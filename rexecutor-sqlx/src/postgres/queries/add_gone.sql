UPDATE {schema}.flows SET gone = gone + $2 WHERE id = $1
