-- ?1 a step, ?2 what is older than this, ?3 how many.
SELECT at, executor, ended, runs, run, wait FROM rexecutor_history
WHERE step = ?1 AND at < ?2
ORDER BY at, executor, ended
LIMIT max(0, ?3)
