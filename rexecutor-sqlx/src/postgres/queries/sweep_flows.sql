-- find_ended_flows among all that have not ended.
SELECT flows.id
FROM {schema}.flows
WHERE flows.finished_at IS NULL
    AND (
        flows.watches & 2 <> 0
        OR (
            flows.watches & 1 <> 0
            AND EXISTS (SELECT FROM {schema}.jobs WHERE jobs.flow = flows.id AND jobs.status = 'discarded')
        )
        OR NOT EXISTS (
            SELECT FROM {schema}.jobs
            WHERE jobs.flow = flows.id AND jobs.status IN ('blocked', 'scheduled', 'executing', 'retryable')
        )
    )
ORDER BY flows.id
LIMIT $1
