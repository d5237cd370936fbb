-- Starts another run of the copies from this database; every transaction of those before it fails from now on.
UPDATE rexecutor_copies SET run = run + 1 WHERE is_source RETURNING token, run
