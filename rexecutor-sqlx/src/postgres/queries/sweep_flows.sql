-- Flows that have not ended and about which there may be something to decide, with higher numbers than $2.
SELECT flows.id, flows.watches
FROM {schema}.flows
WHERE flows.id > $2 AND flows.finished_at IS NULL
    AND (
        {may_have_ended}
        OR flows.watches & 8 <> 0
        OR (
            flows.watches & 4 <> 0
            AND EXISTS (
                SELECT FROM {schema}.tasks AS task
                LEFT JOIN {schema}.jobs AS job ON job.id = task.job
                WHERE task.flow = flows.id AND task.told IS NULL
                    AND (job.id IS NULL OR job.status IN ('complete', 'cancelled', 'discarded'))
            )
        )
    )
ORDER BY flows.id
LIMIT $1
