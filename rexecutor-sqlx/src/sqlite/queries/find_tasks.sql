-- Those of a flow's tasks that have these names.
SELECT name, job, told FROM rexecutor_tasks WHERE flow = ?1 AND name IN (SELECT value FROM json_each(?2))
