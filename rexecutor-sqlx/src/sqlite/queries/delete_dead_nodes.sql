-- Who has been heard since is not dead.
DELETE FROM rexecutor_nodes
WHERE (id, beats) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?1))
