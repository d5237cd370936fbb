-- Jobs of which this transaction has decided that they are not kept.
DELETE FROM rexecutor_jobs WHERE id IN (SELECT value FROM json_each(?))
