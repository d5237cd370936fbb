SELECT kind, name, place, until_at, done_at, output FROM rexecutor_steps WHERE job = ?1 AND kind = ?2 AND name = ?3
