-- All others.
SELECT id, beats, timeout FROM rexecutor_nodes WHERE id <> ?1 ORDER BY id
