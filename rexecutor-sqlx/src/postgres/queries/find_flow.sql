SELECT id, inserted_at, gone, flow FROM {schema}.flows WHERE id = $1
