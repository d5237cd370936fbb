SELECT entry FROM rexecutor_schedule_entries WHERE name = ?1
