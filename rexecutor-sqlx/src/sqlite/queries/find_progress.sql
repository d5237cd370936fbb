SELECT report FROM rexecutor_progress
WHERE job = ?
