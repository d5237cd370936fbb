-- ?1 flow, ?2 a list of lists: job, name, on which ends of its predecessors it runs, how many these are, and how many of them have
-- succeeded, failed and were skipped already.
INSERT INTO rexecutor_tasks (job, flow, name, run_when, wanted, succeeded, failed, skipped)
SELECT
    new.value ->> 0, ?1, new.value ->> 1, new.value ->> 2, new.value ->> 3, new.value ->> 4, new.value ->> 5, new.value ->> 6
FROM json_each(?2) AS new
