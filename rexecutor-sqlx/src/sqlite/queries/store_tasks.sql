-- ?1 a list of lists: task, how many before it have succeeded, failed and were skipped, and whether those behind it are to be told again.
UPDATE rexecutor_tasks
SET
    succeeded = new.value ->> 1,
    failed = new.value ->> 2,
    skipped = new.value ->> 3,
    told = CASE WHEN new.value ->> 4 THEN NULL ELSE told END
FROM json_each(?1) AS new
WHERE rexecutor_tasks.job = new.value ->> 0
