-- The jobs that are on their way from now on go to ?2, unless some are on their way to another database.
UPDATE rexecutor_copies SET target = ?2
WHERE token = ?1
    AND (target = ?2 OR NOT EXISTS (SELECT 1 FROM rexecutor_outgoing WHERE rexecutor_outgoing.token = ?1))
