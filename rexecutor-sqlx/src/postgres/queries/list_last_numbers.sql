-- The last numbers that were given out.
SELECT
    (SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM {schema}.jobs_id_seq) AS jobs,
    (SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM {schema}.nodes_id_seq) AS nodes,
    (SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM {schema}.flows_id_seq) AS flows,
    (SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM {schema}.audit_id_seq) AS audit
