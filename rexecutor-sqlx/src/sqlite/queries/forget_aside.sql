DELETE FROM rexecutor_aside WHERE job IN (SELECT value FROM json_each(?1))
