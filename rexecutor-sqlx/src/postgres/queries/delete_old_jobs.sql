DELETE FROM {old_schema}.rexecutor_jobs WHERE id = ANY ($1::INTEGER [])
