SELECT id, inserted_at, gone, flow FROM rexecutor_flows WHERE id = ?1
