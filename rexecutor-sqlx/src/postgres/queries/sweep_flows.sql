-- find_ended_flows among all that have not ended, with higher numbers than $2.
SELECT flows.id
FROM {schema}.flows
WHERE flows.id > $2 AND flows.finished_at IS NULL AND ({may_have_ended})
ORDER BY flows.id
LIMIT $1
