UPDATE rexecutor_nodes SET executors = ?2 WHERE id = ?1 AND executors IS NOT ?2
