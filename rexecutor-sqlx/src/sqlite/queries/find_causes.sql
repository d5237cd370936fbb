-- What comes after these tasks, with the place in the list of the first of them that it comes after.
SELECT edge.successor, min(cause.key) AS place
FROM json_each(?1) AS cause
CROSS JOIN rexecutor_task_edges AS edge ON edge.predecessor = cause.value
GROUP BY edge.successor
