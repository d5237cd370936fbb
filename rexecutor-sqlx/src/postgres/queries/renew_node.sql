-- One row at least, if the node is a member; then also what it runs, and whether somebody asked it to stop.
WITH renewed AS (
    UPDATE {schema}.nodes SET seen_at = coalesce($1::TIMESTAMPTZ, clock_timestamp()) WHERE id = $2
    RETURNING id
)
SELECT jobs.id, jobs.lease, coalesce(jobs.marks, 0) & {stopping} <> 0 AS is_cancelled
FROM renewed
LEFT JOIN {schema}.jobs ON jobs.status = 'executing' AND jobs.node = $2
ORDER BY jobs.id
