SELECT reserved_from, reserved_to FROM rexecutor_copies WHERE token = ?1
