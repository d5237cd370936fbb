-- Running jobs whose node is no member.
SELECT id FROM rexecutor_jobs
WHERE status = 'executing' AND node NOT IN (SELECT id FROM rexecutor_nodes)
ORDER BY id
