UPDATE rexecutor_flows SET gone = gone + ?2 WHERE id = ?1
