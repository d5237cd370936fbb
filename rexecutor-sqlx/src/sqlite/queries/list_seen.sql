-- The members, as people are shown them.
SELECT id, label, about, joined_at, seen_at, timeout, executors FROM rexecutor_nodes ORDER BY id
