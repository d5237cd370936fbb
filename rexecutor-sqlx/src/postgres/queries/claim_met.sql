-- $1 the test clock's time, $2 the node, $3 the numbers of jobs that walk_keys has met, $4 their keys, $5 executors, and $6 the
-- key of each that was served last; NULL leaves what is stored. Gives one row at least: `id` is NULL where nothing was claimed,
-- `is_outdated` where the node is no member.
--
-- A job that somebody has changed since is left out: it may have another key now, or be due later.
WITH present AS MATERIALIZED (
    SELECT
        coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS now,
        (SELECT is_outdated FROM {schema}.nodes WHERE id = $2) AS is_outdated
),
due AS MATERIALIZED (
    SELECT job.ctid AS tid
    FROM unnest($3::BIGINT [], $4::TEXT []) AS met (id, key)
    CROSS JOIN LATERAL (
        SELECT job.ctid FROM {schema}.jobs AS job
        WHERE job.id = met.id AND job.{pending} AND job.scheduled_at <= (SELECT now FROM present)
            AND job.group_key IS NOT DISTINCT FROM met.key
        FOR UPDATE SKIP LOCKED
    ) AS job
    WHERE (SELECT NOT is_outdated FROM present)
),
served AS (
    UPDATE {schema}.limits AS kept
    SET served_key = new.key
    FROM unnest($5::TEXT [], $6::TEXT []) AS new (executor, key)
    WHERE kept.executor = new.executor AND new.key IS NOT NULL AND kept.served_key IS DISTINCT FROM new.key
        AND (SELECT NOT is_outdated FROM present)
),
claimed AS (
    -- The sums stop at the largest value, so that one broken row does not keep the others from being claimed.
    UPDATE {schema}.jobs
    SET
        status = 'executing',
        attempt = least(attempt, 65534) + 1,
        lease = least(lease, 9223372036854775806) + 1,
        node = $2,
        attempted_at = (SELECT now FROM present)
    WHERE ctid = ANY (ARRAY(SELECT tid FROM due))
    RETURNING {claimed}, ctid::TEXT AS location
)
SELECT claimed.*, present.now, present.is_outdated
FROM present
LEFT JOIN claimed ON TRUE
