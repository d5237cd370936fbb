INSERT INTO rexecutor_flows (inserted_at, watches, flow) VALUES (?1, ?2, ?3)
