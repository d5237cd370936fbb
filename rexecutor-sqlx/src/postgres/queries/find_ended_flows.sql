-- Those of these flows about which there may be something to decide.
SELECT flows.id
FROM {schema}.flows
WHERE flows.id = ANY ($1) AND flows.finished_at IS NULL AND ({may_have_ended})
