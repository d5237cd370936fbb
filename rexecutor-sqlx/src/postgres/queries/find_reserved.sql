SELECT reserved_from, reserved_to FROM {schema}.copies WHERE token = $1
