SELECT job, content FROM rexecutor_outgoing WHERE token = ?1 AND job > ?2 ORDER BY job LIMIT 0 + ?3
