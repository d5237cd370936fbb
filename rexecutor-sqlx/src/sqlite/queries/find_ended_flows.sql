-- Those of these flows about which there may be something to decide.
SELECT id
FROM rexecutor_flows
WHERE id IN (SELECT value FROM json_each(?1)) AND finished_at IS NULL AND ({may_have_ended})
