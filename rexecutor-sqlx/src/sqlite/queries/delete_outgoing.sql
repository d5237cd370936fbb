DELETE FROM rexecutor_outgoing WHERE token = ?1 AND job IN (SELECT value FROM json_each(?2))
