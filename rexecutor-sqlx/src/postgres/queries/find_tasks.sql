-- Those of a flow's tasks that have these names.
SELECT name, job, told FROM {schema}.tasks WHERE flow = $1 AND name = ANY ($2)
