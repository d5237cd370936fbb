-- ?1 a list of lists: task, the place of what it comes after among all that it comes after, that.
INSERT INTO rexecutor_task_edges (successor, place, predecessor)
SELECT new.value ->> 0, new.value ->> 1, new.value ->> 2
FROM json_each(?1) AS new
