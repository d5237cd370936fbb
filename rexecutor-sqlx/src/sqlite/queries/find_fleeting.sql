-- Tasks of a flow that were kept for as long as it went on.
SELECT id FROM rexecutor_jobs WHERE flow = ?1 AND status = 'complete' AND marks & {fleeting} <> 0 ORDER BY id LIMIT 0 + ?2
