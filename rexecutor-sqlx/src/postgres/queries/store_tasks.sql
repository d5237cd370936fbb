-- Of tasks, $1, how many before them have ended how, $2 to $4, and that those behind them are to be told again, $5.
UPDATE {schema}.tasks
SET
    succeeded = new.succeeded,
    failed = new.failed,
    skipped = new.skipped,
    told = CASE WHEN new.is_untold THEN NULL ELSE tasks.told END
FROM unnest($1::BIGINT [], $2::INTEGER [], $3::INTEGER [], $4::INTEGER [], $5::BOOLEAN [])
    AS new (job, succeeded, failed, skipped, is_untold)
WHERE tasks.job = new.job
