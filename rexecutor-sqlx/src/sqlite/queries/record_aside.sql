-- Jobs that this transaction has set aside: the JSON array ?1 of their numbers, the tags, and when they were due.
INSERT INTO rexecutor_aside (job, tag, due_at)
SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?1) WHERE TRUE
ON CONFLICT (job) DO UPDATE SET tag = excluded.tag, due_at = excluded.due_at
