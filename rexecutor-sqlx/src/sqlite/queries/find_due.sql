-- The next due jobs of one priority in one value: as rows, each of their columns would be handed over by itself. What is
-- the same for all of them is left out.
--
-- `0 + ?`, here and elsewhere: the planner looks at a limit that is a mere parameter, and SQLite then prepares the
-- statement anew whenever it is bound.
SELECT
    json_group_array(json_array({due_columns}))
FROM (
    SELECT * FROM rexecutor_jobs
    WHERE executor = ? AND priority = ? AND {pending} AND scheduled_at <= ?
    ORDER BY scheduled_at, id
    LIMIT 0 + ?
)
