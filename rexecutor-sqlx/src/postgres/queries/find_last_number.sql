-- The last number that a sequence has given, or been told to have given. Any of ours takes the place of this one.
SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END AS last FROM {schema}.jobs_id_seq
