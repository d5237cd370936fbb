-- ?1 the job, ?2 and ?3 after which lease and number, ?4 how many at most.
SELECT lease, number, attempt, text FROM rexecutor_chunks
WHERE job = ?1 AND (lease, number) > (?2, ?3)
ORDER BY lease, number
LIMIT 0 + ?4
