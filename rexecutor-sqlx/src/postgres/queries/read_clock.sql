SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS now
