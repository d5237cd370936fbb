UPDATE {schema}.nodes SET seen_at = coalesce($1::TIMESTAMPTZ, clock_timestamp()) WHERE id = $2
