-- Those of these flows about which there may be something to decide.
SELECT flows.id
FROM {schema}.flows
WHERE flows.id = ANY ($1)
    AND flows.finished_at IS NULL
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
