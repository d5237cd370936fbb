DELETE FROM {schema}.nodes WHERE seen_at + timeout < coalesce($1::TIMESTAMPTZ, clock_timestamp())
