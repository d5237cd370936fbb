SELECT report FROM {schema}.progress
WHERE job = $1
