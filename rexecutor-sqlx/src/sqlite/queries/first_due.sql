-- The numbers of the jobs of find_first_due.sql.
SELECT id FROM rexecutor_jobs
WHERE executor = ?
    AND priority = (SELECT min(priority) FROM rexecutor_jobs WHERE executor = ? AND {pending})
    AND {pending} AND scheduled_at <= ?
ORDER BY scheduled_at, id
LIMIT 0 + ?
