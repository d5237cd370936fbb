-- $1 the test clock's time, $2 an executor whose keys are served in rotation, $3 how many jobs to claim, $4 how many of one key
-- may run, $5 how many steps to walk, $6 how many jobs to look at from the head of the line. Gives one row at least: `id` is
-- NULL where nothing was met.
--
-- Where each key has a rate, $7 is how many nanoseconds one token takes, and $8 how many a key may have. `due_at` is when a job is due,
-- and its key has a token.
--
-- In a claim it comes after lock_limits and is a statement of its own, as find_controls is.
WITH RECURSIVE present AS MATERIALIZED (
    SELECT
        coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS now,
        (SELECT kept.served_key FROM {schema}.limits AS kept WHERE kept.executor = $2) AS served
),
-- Each step is a priority of a key, one look-up each: from behind the key that was served last, and once around.
--
-- Rows are compared as a whole, so that no index serves but jobs_keyed: where a table has grown since it was analyzed, jobs_ready looks
-- as cheap, and would be read to its end.
walk (key, priority, due_at, is_due, room, is_around, found, step) AS (
    SELECT
        first.key, first.priority, first.due_at, first.is_due, busy.room, first.is_around,
        (first.is_due AND busy.room > 0)::INTEGER::BIGINT, 1::BIGINT
    FROM present
    CROSS JOIN LATERAL (
        SELECT either.key, either.priority, either.due_at, either.due_at <= present.now AS is_due, either.is_around
        FROM (
            (
                SELECT job.executor, job.group_key AS key, job.priority, {due_at} AS due_at, FALSE AS is_around
                FROM {schema}.jobs AS job
                WHERE (job.executor, job.group_key) > ($2, present.served)
                    AND job.{pending} AND job.line IS NULL AND job.group_key IS NOT NULL
                ORDER BY job.executor, job.group_key, job.priority, job.scheduled_at, job.id
                LIMIT 1
            )
            UNION ALL
            (
                SELECT job.executor, job.group_key, job.priority, {due_at}, TRUE
                FROM {schema}.jobs AS job
                WHERE (job.executor, job.group_key) >= ($2, '') AND job.{pending} AND job.line IS NULL AND job.group_key IS NOT NULL
                ORDER BY job.executor, job.group_key, job.priority, job.scheduled_at, job.id
                LIMIT 1
            )
        ) AS either
        WHERE either.executor = $2
        LIMIT 1
    ) AS first
    CROSS JOIN LATERAL (
        SELECT greatest($4::BIGINT - count(*), 0) AS room FROM {schema}.jobs AS run
        WHERE run.executor = $2 AND run.group_key = first.key AND run.status = 'executing'
    ) AS busy
    UNION ALL
    SELECT
        next.key, next.priority, next.due_at, next.is_due, busy.room, next.is_around,
        walk.found + (next.is_due AND busy.room > 0)::INTEGER, walk.step + 1
    FROM walk
    CROSS JOIN present
    CROSS JOIN LATERAL (
        SELECT either.key, either.priority, either.due_at, either.due_at <= present.now AS is_due, either.is_around
        FROM (
            (
                SELECT job.executor, job.group_key AS key, job.priority, {due_at} AS due_at, walk.is_around
                FROM {schema}.jobs AS job
                WHERE (job.executor, job.group_key, job.priority) > ($2, walk.key, walk.priority)
                    AND job.{pending} AND job.line IS NULL AND job.group_key IS NOT NULL
                ORDER BY job.executor, job.group_key, job.priority, job.scheduled_at, job.id
                LIMIT 1
            )
            UNION ALL
            (
                SELECT job.executor, job.group_key, job.priority, {due_at}, TRUE
                FROM {schema}.jobs AS job
                WHERE (job.executor, job.group_key) >= ($2, '') AND job.{pending} AND job.line IS NULL AND job.group_key IS NOT NULL
                    AND NOT walk.is_around
                ORDER BY job.executor, job.group_key, job.priority, job.scheduled_at, job.id
                LIMIT 1
            )
        ) AS either
        WHERE either.executor = $2
        LIMIT 1
    ) AS next
    CROSS JOIN LATERAL (
        SELECT greatest($4::BIGINT - count(*), 0) AS room FROM {schema}.jobs AS run
        WHERE run.executor = $2 AND run.group_key = next.key AND run.status = 'executing'
    ) AS busy
    WHERE walk.found < $3::BIGINT AND walk.step < $5::BIGINT
        AND (NOT next.is_around OR present.served IS NULL OR next.key <= present.served)
),
-- Where it has ended, and how many jobs of each key to read: no more than its share, for there may be a thousand keys.
summary AS MATERIALIZED (
    SELECT
        coalesce(max(found), 0) >= $3::BIGINT OR coalesce(max(step), 0) >= $5::BIGINT AS is_partial,
        CASE
            WHEN coalesce(max(found), 0) < $3::BIGINT AND max(step) >= $5::BIGINT
                THEN (array_agg(key ORDER BY step DESC))[1]
        END AS stopped_at,
        NOT coalesce(bool_or(room = 0), FALSE) AS is_idle,
        min(due_at) FILTER (WHERE NOT is_due AND room > 0 AND isfinite(due_at)) AS next_at,
        1 + $3::BIGINT / greatest(count(DISTINCT key) FILTER (WHERE is_due AND room > 0), 1) AS share
    FROM walk
),
-- The head of the line: jobs without a key, and keys that the walk has not met yet. The priorities are stepped over as in
-- claim_jobs.
level (priority, step) AS (
    SELECT first.priority, 1::BIGINT
    FROM (
        SELECT job.priority FROM {schema}.jobs AS job
        WHERE job.executor = $2 AND job.{pending}
        ORDER BY job.priority, job.scheduled_at, job.id
        LIMIT 1
    ) AS first
    UNION ALL
    SELECT next.priority, level.step + 1
    FROM level
    CROSS JOIN LATERAL (
        SELECT job.priority FROM {schema}.jobs AS job
        WHERE job.executor = $2 AND job.{pending} AND job.priority > level.priority
        ORDER BY job.priority, job.scheduled_at, job.id
        LIMIT 1
    ) AS next
    WHERE level.step < $5::BIGINT
),
line AS MATERIALIZED (
    SELECT job.id, job.key, job.bytes, job.weight, row_number() OVER (ROWS UNBOUNDED PRECEDING) AS place
    FROM (
        SELECT job.*
        FROM (SELECT level.priority FROM level ORDER BY level.priority) AS each
        CROSS JOIN LATERAL (
            SELECT
                job.id, job.group_key AS key,
                octet_length(job.data)::BIGINT + coalesce(octet_length(job.metadata), 0) AS bytes, {weight} AS weight
            FROM {schema}.jobs AS job
            WHERE job.executor = $2 AND job.priority = each.priority AND job.{pending}
                AND job.scheduled_at <= (SELECT now FROM present)
            ORDER BY job.scheduled_at, job.id
            LIMIT $6::BIGINT
        ) AS job
        LIMIT $6::BIGINT
    ) AS job
),
met AS (
    SELECT 0 AS part, line.place AS step, 0::BIGINT AS place, line.id, NULL::TEXT AS key, 9223372036854775807 AS room,
        line.bytes, line.weight, (SELECT count(*) = $6::BIGINT FROM line WHERE line.key IS NULL) AS is_cut
    FROM line
    WHERE line.key IS NULL
    UNION ALL
    SELECT 1, walk.step, job.place, job.id, walk.key, walk.room, job.bytes, job.weight,
        job.place = summary.share AND summary.share < walk.room
    FROM walk
    CROSS JOIN summary
    CROSS JOIN LATERAL (
        SELECT
            job.id, octet_length(job.data)::BIGINT + coalesce(octet_length(job.metadata), 0) AS bytes, {weight} AS weight,
            row_number() OVER (ROWS UNBOUNDED PRECEDING) AS place
        FROM (
            -- From its first one on: the due ones are in front.
            SELECT job.id, job.executor, job.group_key, job.priority, job.scheduled_at, job.data, job.metadata, job.extras
            FROM {schema}.jobs AS job
            WHERE (job.executor, job.group_key, job.priority) >= ($2, walk.key, walk.priority)
                AND job.{pending} AND job.line IS NULL AND job.group_key IS NOT NULL
            ORDER BY job.executor, job.group_key, job.priority, job.scheduled_at, job.id
            LIMIT least(walk.room, summary.share)
        ) AS job
        WHERE job.executor = $2 AND job.group_key = walk.key AND job.priority = walk.priority
            AND job.scheduled_at <= (SELECT now FROM present)
    ) AS job
    WHERE walk.is_due AND walk.room > 0
    UNION ALL
    SELECT 2, line.place, 0, line.id, line.key, busy.room, line.bytes, line.weight, FALSE
    FROM line
    CROSS JOIN LATERAL (
        SELECT greatest($4::BIGINT - count(*), 0) AS room FROM {schema}.jobs AS run
        WHERE run.executor = $2 AND run.group_key = line.key AND run.status = 'executing'
    ) AS busy
    WHERE line.key IS NOT NULL AND NOT EXISTS (SELECT FROM walk WHERE walk.key = line.key AND walk.is_due)
)
SELECT
    met.id, met.key, met.room, met.bytes, met.weight, coalesce(met.is_cut, FALSE) AS is_cut, summary.is_partial, summary.stopped_at,
    summary.is_idle, (extract(EPOCH FROM summary.next_at - (SELECT now FROM present)) * 1000000)::BIGINT AS next_in, {kept}
FROM summary
LEFT JOIN met ON TRUE
{join_kept}
ORDER BY met.part, met.step, met.place
