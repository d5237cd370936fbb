-- In the order of their numbers, so that two batches of flows never wait for each other.
SELECT id, inserted_at, gone, flow, coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS now
FROM {schema}.flows
WHERE id = ANY ($2)
ORDER BY id
FOR UPDATE
